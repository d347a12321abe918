// Two-dimensional convolution and its gradients. NHWC activations, HWIO kernels.
#include "cpu/dnnl/convolution.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/parallel.h"
#include "cpu/pooled_gradient.h"
#include "cpu/winograd/winograd.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/nn/nn_ops.h"
#include "ops/nn/window.h"
#include "ops/pooled_relu.h"
#include "tensor/visit.h"

namespace vf {
namespace {

using cpu::ConvolutionShape;

// The attributes that forward and backward share.
OpBuilder convolution_attrs(OpBuilder op) {
  return op.attr("strides: list(int)")
      .attr("use_cudnn_on_gpu: bool = true")
      .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .attr("explicit_paddings: list(int) = []")
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .attr("dilations: list(int) = [1, 1, 1, 1]");
}

AttrMap window_attrs(const Node& n) {
  return same_attrs(n, {"strides", "padding", "explicit_paddings", "data_format", "dilations"});
}

ConvolutionShape convolution_shape(const Node& n, const Shape& input, const Shape& filter) {
  const Windows w = windows_of(n, {filter[0], filter[1]}, {input[1], input[2]});
  ConvolutionShape s;
  s.batch = input[0];
  s.in_h = input[1];
  s.in_w = input[2];
  s.in_c = input[3];
  s.k_h = filter[0];
  s.k_w = filter[1];
  s.out_c = filter[3];
  s.stride_h = w.h.stride;
  s.stride_w = w.w.stride;
  s.dilation_h = w.h.dilation;
  s.dilation_w = w.w.dilation;
  s.pad_top = w.h.pad_before;
  s.pad_bottom = w.h.pad_after;
  s.pad_left = w.w.pad_before;
  s.pad_right = w.w.pad_after;
  s.groups = filter[2] > 0 ? std::max<int64_t>(input[3] / filter[2], 1) : 1;
  return s;
}

// The shape of Conv2D's output for these two, whichever of the three ops asks.
Shape result_shape(ShapeContext& c, const Shape& in, const Shape& filter) {
  for (const Shape* s : {&in, &filter})
    if (s->has_rank() && s->rank() != 4) c.fail("Shape must be rank 4 but is rank " + std::to_string(s->rank()));
  if (!in.has_rank() || !filter.has_rank()) return Shape::of_rank(4);
  if (in[3] >= 0 && filter[2] > 0 && (in[3] == 0 || in[3] % filter[2] != 0))
    c.fail("Depth of input (" + std::to_string(in[3]) + ") is not a multiple of input depth of filter (" +
           std::to_string(filter[2]) + ")");
  const Windows w = windows_of(c.node(), {filter[0], filter[1]}, {in[1], in[2]});
  const auto out = [&](int64_t size, int64_t k, bool rows) {
    if (size < 0 || k < 0) return int64_t{-1};
    const int64_t n = rows ? w.out_h(size) : w.out_w(size);
    if (n <= 0 && size + (rows ? w.h.pad_before + w.h.pad_after : w.w.pad_before + w.w.pad_after) < k && !w.same)
      c.fail("Computed output size would be negative: the window of " + std::to_string(k) +
             " is larger than the input of " + std::to_string(size));
    return n;
  };
  return Shape{in[0], out(in[1], filter[0], true), out(in[2], filter[1], false), filter[3]};
}

void forward_shape(ShapeContext& c) { c.set_output(0, result_shape(c, c.input(0), c.input(1))); }

// Of a gradient: input 2 must be what Conv2D made of the two shapes.
void check_out_backprop(ShapeContext& c, const Shape& in, const Shape& filter) {
  const Shape computed = result_shape(c, in, filter);
  if (!computed.compatible(c.input(2)))
    c.fail("Size of out_backprop doesn't match computed: actual = " + c.input(2).str() +
           ", computed = " + computed.str());
}

// For each tap of each output: f(output index of its first channel, input index of its first channel, filter index).
template <class F>
void each_tap(const ConvolutionShape& s, F f) {
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x)
        for (int64_t i = 0; i < s.k_h; ++i)
          for (int64_t j = 0; j < s.k_w; ++j) {
            const int64_t in_y = y * s.stride_h - s.pad_top + i * s.dilation_h;
            const int64_t in_x = x * s.stride_w - s.pad_left + j * s.dilation_w;
            if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
            f(((b * s.out_h() + y) * s.out_w() + x) * s.out_c, ((b * s.in_h + in_y) * s.in_w + in_x) * s.in_c,
              (i * s.k_w + j) * (s.in_c / s.groups) * s.out_c);
          }
}

// Calls f(output channel, input channel, filter offset) for the channels of one tap.
template <class F>
void each_channel(const ConvolutionShape& s, F f) {
  const int64_t in = s.in_c / s.groups;
  const int64_t out = s.out_c / s.groups;
  for (int64_t g = 0; g < s.groups; ++g)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t o = 0; o < out; ++o) f(g * out + o, g * in + i, i * s.out_c + g * out + o);
}

using Pass = cpu::ConvolutionPass;

// The definition, in the accumulator type of the reference: double for float and double, else float.
template <class T>
std::unique_ptr<Kernel> reference(Pass pass, ConvolutionShape s) {
  using Sum = std::conditional_t<std::is_same_v<T, float> || std::is_same_v<T, double>, double, float>;
  const int64_t n = pass == Pass::Forward        ? s.destination_size()
                    : pass == Pass::BackwardData ? s.in_size()
                                                 : s.weights_size();
  return kernel([=](KernelRun& r) {
    std::vector<Sum> sums(static_cast<size_t>(n), Sum(0));
    const T* a = r.input<T>(pass == Pass::BackwardData ? 2 : 0);
    const T* b = r.input<T>(pass == Pass::BackwardWeights ? 2 : 1);
    each_tap(s, [&](int64_t out, int64_t in, int64_t filter) {
      each_channel(s, [&](int64_t o, int64_t i, int64_t w) {
        const auto x = [](const T* p, int64_t at) { return convert<Sum>(p[at]); };
        if (pass == Pass::Forward) sums[static_cast<size_t>(out + o)] += x(a, in + i) * x(b, filter + w);
        if (pass == Pass::BackwardData) sums[static_cast<size_t>(in + i)] += x(a, out + o) * x(b, filter + w);
        if (pass == Pass::BackwardWeights) sums[static_cast<size_t>(filter + w)] += x(a, in + i) * x(b, out + o);
      });
    });
    for (int64_t k = 0; k < n; ++k) r.output<T>()[k] = convert<T>(sums[static_cast<size_t>(k)]);
  });
}

std::unique_ptr<Kernel> reference(Pass pass, const ConvolutionShape& s, DType dtype) {
  switch (dtype) {
    case DType::Float: return reference<float>(pass, s);
    case DType::Double: return reference<double>(pass, s);
    case DType::Half: return reference<Half>(pass, s);
    case DType::BFloat16: return reference<BFloat16>(pass, s);
    default: return nullptr;
  }
}

cpu::dnnl::ConvolutionOptions options(const KernelMake& m) {
  cpu::dnnl::ConvolutionOptions o;
  o.dtype = m.output_dtype();
  o.threads = m.threads();
  return o;
}

// Takes a filter that is a variable in the layout that it computes with, so that the copy is made once a version.
std::shared_ptr<const cpu::dnnl::ConvolutionForward> make_forward(KernelMake& m, const ConvolutionShape& s) {
  using cpu::dnnl::ConvolutionForward;
  const cpu::dnnl::ConvolutionOptions o = options(m);
  std::unique_ptr<ConvolutionForward> p = ConvolutionForward::make(s, o);
  if (!p || !m.reads_variable(1) || s.weights_size() == 0) return p;
  const cpu::dnnl::Layout plain = cpu::dnnl::plain_weights(s, o.dtype);
  if (!p->preferred_weights() || p->preferred_weights() == plain) return p;
  if (auto layout = memory_layout(plain, p->preferred_weights(), o.dtype, o.threads)) {
    m.prefer_layout(1, std::move(layout));
    p->hold_preferred_weights();
  }
  return p;
}

// oneDNN splits the sums of backward-weights by threads. In shards of the batch, each computed by one thread and added
// in order, the bits do not depend on their number.
constexpr int64_t kShards = 16;

std::unique_ptr<Kernel> sharded_backward_weights(KernelMake& m, const ConvolutionShape& s) {
  using cpu::dnnl::ConvolutionBackwardWeights;
  if (m.output_dtype() != DType::Float || s.batch == 0) return nullptr;
  const int64_t shards = std::min(kShards, s.batch);
  const auto first = [batch = s.batch, shards](int64_t shard) { return batch * shard / shards; };
  cpu::dnnl::ConvolutionOptions o = options(m);
  o.threads = 1;
  std::map<int64_t, std::shared_ptr<ConvolutionBackwardWeights>> by_batch;
  size_t scratch = 0;
  for (int64_t i = 0; i < shards; ++i) {
    auto& p = by_batch[first(i + 1) - first(i)];
    if (p) continue;
    ConvolutionShape part = s;
    part.batch = first(i + 1) - first(i);
    p = ConvolutionBackwardWeights::make(part, o);
    if (!p) return nullptr;
    p->reserve(m.threads());
    scratch = std::max(scratch, p->scratch_bytes());
  }
  constexpr size_t kLine = 64;
  const size_t result_bytes = (static_cast<size_t>(s.weights_size()) * sizeof(float) + kLine - 1) / kLine * kLine;
  const size_t shard_bytes = result_bytes + (scratch + kLine - 1) / kLine * kLine;
  m.set_scratch(static_cast<size_t>(shards) * shard_bytes);
  const int threads = m.threads();
  const int64_t source_size = s.in_size() / s.batch;
  const int64_t destination_size = s.destination_size() / s.batch;
  return kernel([=](KernelRun& run) {
    char* memory = static_cast<char*>(run.scratch());
    parallel_for(threads, shards, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        char* own = memory + static_cast<size_t>(i) * shard_bytes;
        by_batch.at(first(i + 1) - first(i))
            ->run(run.input<float>(0) + first(i) * source_size, run.input<float>(2) + first(i) * destination_size, own,
                  nullptr, own + result_bytes);
      }
    });
    float* sum = run.output<float>();
    for (int64_t k = 0; k < s.weights_size(); ++k) {
      float total = 0;
      for (int64_t i = 0; i < shards; ++i)
        total += reinterpret_cast<const float*>(memory + static_cast<size_t>(i) * shard_bytes)[k];
      sum[k] = total;
    }
  });
}

// Nullptr where the definition's own sums are asked for, or faster.
std::unique_ptr<Kernel> winograd(KernelMake& m, const ConvolutionShape& s, Pass pass) {
  if (m.output_dtype() != DType::Float || m.precision() == Precision::Highest) return nullptr;
  const double most_error = m.precision() == Precision::High ? 5e-7 : 1.5e-6;
  const std::optional<cpu::WinogradKind> kind = cpu::choose_winograd(s, most_error);
  if (!kind) return nullptr;
  const cpu::Winograd w(s, pass, *kind, m.threads());
  m.set_scratch(w.scratch_bytes());
  return kernel([w, pass](KernelRun& run) {
    float* out = run.output<float>();
    switch (pass) {
      case Pass::Forward: return w.forward(run.input<float>(0), run.input<float>(1), nullptr, out, run.scratch());
      case Pass::BackwardData: return w.backward_data(run.input<float>(2), run.input<float>(1), out, run.scratch());
      case Pass::BackwardWeights:
        return w.backward_weights(run.input<float>(0), run.input<float>(2), out, run.scratch());
    }
  });
}

std::unique_ptr<Kernel> backward_weights(KernelMake& m, const ConvolutionShape& s) {
  std::shared_ptr<const cpu::dnnl::ConvolutionBackwardWeights> p =
      cpu::dnnl::ConvolutionBackwardWeights::make(s, options(m));
  if (!p) return nullptr;
  m.set_scratch(p->scratch_bytes());
  return kernel(
      [p](KernelRun& run) { p->run(run.input_raw(0), run.input_raw(2), run.output_raw(), nullptr, run.scratch()); });
}

// Inputs: the images, sizes, none, then those of PooledReluGradientKernel.
class PooledFilterGradientKernel final : public Kernel {
 public:
  PooledFilterGradientKernel(const PooledReluGradientKernel& relu, const ConvolutionShape& shape)
      : pooling_(relu.shape()), shape_(shape), threads_(relu.threads()) {}
  void run(KernelRun& run) const override {
    cpu::pooled_weights_gradient(
        pooling_, shape_, run.input<float>(0), run.input<float>(3 + PooledReluGradientKernel::kActivations),
        run.input<float>(3 + PooledReluGradientKernel::kGradients), run.output<float>(), run.scratch(), threads_);
  }
  size_t absorbed_scratch_bytes() const override { return cpu::pooled_weights_gradient_scratch(shape_, threads_); }

 private:
  cpu::PoolingShape pooling_;
  ConvolutionShape shape_;
  int threads_;
};

// Conv2DBackpropFilter by another kernel, but for first layers before a ReLU and a pooling.
class FilterGradientKernel final : public Kernel {
 public:
  FilterGradientKernel(std::unique_ptr<Kernel> other, const ConvolutionShape& shape)
      : other_(std::move(other)), shape_(shape) {}
  void run(KernelRun& run) const override { other_->run(run); }
  std::unique_ptr<Kernel> absorb(int input, const Producer& producer) const override {
    const auto* relu = dynamic_cast<const PooledReluGradientKernel*>(&producer.kernel());
    if (input != 2 || !relu || !cpu::pooled_weights_gradient_fits(relu->shape(), shape_)) return nullptr;
    return std::make_unique<PooledFilterGradientKernel>(*relu, shape_);
  }

 private:
  std::unique_ptr<Kernel> other_;
  ConvolutionShape shape_;
};

void conv2d_gradient(GradientContext& g) {
  const AttrMap attrs = window_attrs(g.node());
  const auto sizes = [&](int i) { return g.make("Shape", {g.input(i)}); };
  g.set(0, g.make("Conv2DBackpropInput", {sizes(0), g.input(1), g.gradient()}, attrs));
  g.set(1, g.make("Conv2DBackpropFilter", {g.input(0), sizes(1), g.gradient()}, attrs));
}

void backprop_input_gradient(GradientContext& g) {
  const AttrMap attrs = window_attrs(g.node());
  g.set(1, g.make("Conv2DBackpropFilter", {g.gradient(), g.make("Shape", {g.input(1)}), g.input(2)}, attrs));
  g.set(2, g.make("Conv2D", {g.gradient(), g.input(1)}, attrs));
}

void backprop_filter_gradient(GradientContext& g) {
  const AttrMap attrs = window_attrs(g.node());
  g.set(0, g.make("Conv2DBackpropInput", {g.make("Shape", {g.input(0)}), g.gradient(), g.input(2)}, attrs));
  g.set(2, g.make("Conv2D", {g.input(0), g.gradient()}, attrs));
}

const AttrMap kExampleAttrs = {{"strides", std::vector<int64_t>{1, 1, 1, 1}}, {"padding", "SAME"}};
const AttrMap kStridedAttrs = {{"strides", std::vector<int64_t>{1, 2, 2, 1}}, {"padding", "VALID"}};

}  // namespace

void register_convolution_ops(OpRegistry& r) {
  convolution_attrs(
      r.op("Conv2D").in("input: T").in("filter: T").out("output: T").attr("T: {half, bfloat16, float, double, int32}"))
      .function("conv2d")
      .doc("output[b, y, x, o] = sum over i, j, c of input[b, y * stride + i, x * stride + j, c] * filter[i, j, c, o]")
      .shape(forward_shape)
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const ConvolutionShape s = convolution_shape(m.node(), m.input_shape(0), m.input_shape(1));
        if (auto k = winograd(m, s, Pass::Forward)) return k;
        const std::shared_ptr<const cpu::dnnl::ConvolutionForward> p = make_forward(m, s);
        if (!p) return nullptr;
        m.set_scratch(p->scratch_bytes());
        return kernel([p](KernelRun& run) {
          p->run(run.input_raw(0), run.input_raw(1), nullptr, run.output_raw(), run.scratch());
        });
      })
      .cpu([](KernelMake& m) {
        return reference(Pass::Forward, convolution_shape(m.node(), m.input_shape(0), m.input_shape(1)),
                         m.output_dtype());
      })
      .grad(conv2d_gradient)
      .example({.inputs = {{2, 5, 4, 3}, {3, 3, 3, 2}}, .attrs = kExampleAttrs})
      .example({.inputs = {{1, 6, 5, 2}, {3, 2, 2, 3}}, .attrs = kStridedAttrs});

  convolution_attrs(r.op("Conv2DBackpropInput")
                        .in("input_sizes: int32")
                        .in("filter: T")
                        .in("out_backprop: T")
                        .out("output: T")
                        .attr("T: {half, bfloat16, float, double, int32}"))
      .function("conv2d_backprop_input")
      .doc("The gradient of Conv2D for its input.")
      .shape([](ShapeContext& c) {
        const Shape s = shape_rule::shape_from_input(c, 0);
        check_out_backprop(c, s, c.input(1));
        c.set_output(0, s.has_rank() ? s : Shape::of_rank(4));
      })
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const ConvolutionShape s = convolution_shape(m.node(), m.output_shape(), m.input_shape(1));
        if (auto k = winograd(m, s, Pass::BackwardData)) return k;
        std::shared_ptr<const cpu::dnnl::ConvolutionBackwardData> p =
            cpu::dnnl::ConvolutionBackwardData::make(s, options(m));
        if (!p) return nullptr;
        m.set_scratch(p->scratch_bytes());
        return kernel(
            [p](KernelRun& run) { p->run(run.input_raw(2), run.input_raw(1), run.output_raw(), run.scratch()); });
      })
      .cpu([](KernelMake& m) {
        return reference(Pass::BackwardData, convolution_shape(m.node(), m.output_shape(), m.input_shape(1)),
                         m.output_dtype());
      })
      .grad(backprop_input_gradient)
      .example({.inputs = {Tensor::vector<int32_t>({2, 5, 4, 3}), {3, 3, 3, 2}, {2, 5, 4, 2}}, .attrs = kExampleAttrs});

  convolution_attrs(r.op("Conv2DBackpropFilter")
                        .in("input: T")
                        .in("filter_sizes: int32")
                        .in("out_backprop: T")
                        .out("output: T")
                        .attr("T: {half, bfloat16, float, double}"))
      .function("conv2d_backprop_filter")
      .doc("The gradient of Conv2D for its filter.")
      .shape([](ShapeContext& c) {
        const Shape s = shape_rule::shape_from_input(c, 1);
        check_out_backprop(c, c.input(0), s);
        c.set_output(0, s.has_rank() ? s : Shape::of_rank(4));
      })
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const ConvolutionShape s = convolution_shape(m.node(), m.input_shape(0), m.output_shape());
        if (auto k = winograd(m, s, Pass::BackwardWeights)) return k;
        std::unique_ptr<Kernel> k = m.deterministic() ? sharded_backward_weights(m, s) : backward_weights(m, s);
        if (!k || m.output_dtype() != DType::Float) return k;
        return std::make_unique<FilterGradientKernel>(std::move(k), s);
      })
      .cpu([](KernelMake& m) {
        return reference(Pass::BackwardWeights, convolution_shape(m.node(), m.input_shape(0), m.output_shape()),
                         m.output_dtype());
      })
      .grad(backprop_filter_gradient)
      .example({.inputs = {{2, 5, 4, 3}, Tensor::vector<int32_t>({3, 3, 3, 2}), {2, 5, 4, 2}}, .attrs = kExampleAttrs});
}

}  // namespace vf
