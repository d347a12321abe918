// Max and average pooling of NHWC activations, and their gradients.
#include "cpu/dnnl/pooling.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/nn/nn_ops.h"
#include "ops/nn/window.h"
#include "ops/pooled_relu.h"
#include "tensor/visit.h"

namespace vf {
namespace {

using cpu::PoolingShape;

Windows pooling_windows(const Node& n, const Shape& in) {
  const auto& k = n.attr<std::vector<int64_t>>("ksize");
  if (k.size() != 4 || k[0] != 1 || k[3] != 1 || k[1] <= 0 || k[2] <= 0)
    throw Error(Code::Unimplemented, n.type(), n.name(),
                "pools over height and width only; ksize is " + n.attr_value("ksize").str());
  return windows_of(n, {k[1], k[2]}, {in[1], in[2]});
}

PoolingShape pooling_shape(const Node& n, const Shape& in) {
  const Windows w = pooling_windows(n, in);
  PoolingShape s;
  s.batch = in[0];
  s.in_h = in[1];
  s.in_w = in[2];
  s.channels = in[3];
  s.k_h = w.h.size;
  s.k_w = w.w.size;
  s.stride_h = w.h.stride;
  s.stride_w = w.w.stride;
  s.pad_top = w.h.pad_before;
  s.pad_bottom = w.h.pad_after;
  s.pad_left = w.w.pad_before;
  s.pad_right = w.w.pad_after;
  return s;
}

// The shape of what pooling makes of `in`, whichever op asks.
Shape result_shape(ShapeContext& c, const Shape& in) {
  if (!in.has_rank()) return Shape::of_rank(4);
  if (in.rank() != 4) c.fail("Shape must be rank 4 but is rank " + std::to_string(in.rank()));
  const Windows w = pooling_windows(c.node(), in);
  return Shape{in[0], w.out_h(in[1]), w.out_w(in[2]), in[3]};
}

void forward_shape(ShapeContext& c) { c.set_output(0, result_shape(c, c.input(0))); }

// Of a gradient: input i must have the shape that pooling makes of `in`.
void check_pooled(ShapeContext& c, int i, const Shape& in) {
  const Shape computed = result_shape(c, in);
  if (!computed.compatible(c.input(i)))
    c.fail("Expected " + c.node().op().inputs[static_cast<size_t>(i)].name + " shape to be " + computed.str() +
           ", but got " + c.input(i).str());
}

// f(output index, begin and end of the window's rows and columns inside the image).
template <class F>
void each_window(const PoolingShape& s, F f) {
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x) {
        const int64_t top = y * s.stride_h - s.pad_top;
        const int64_t left = x * s.stride_w - s.pad_left;
        f(b, (b * s.out_h() + y) * s.out_w() + x, std::max<int64_t>(top, 0), std::min(top + s.k_h, s.in_h),
          std::max<int64_t>(left, 0), std::min(left + s.k_w, s.in_w));
      }
}

template <class T>
std::unique_ptr<Kernel> max_pool(PoolingShape s) {
  return kernel([=](KernelRun& r) {
    const T* in = r.input<T>(0);
    each_window(s, [&](int64_t b, int64_t at, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
      for (int64_t c = 0; c < s.channels; ++c) {
        T most = std::numeric_limits<T>::lowest();
        for (int64_t y = y0; y < y1; ++y)
          for (int64_t x = x0; x < x1; ++x) most = std::max(most, in[((b * s.in_h + y) * s.in_w + x) * s.channels + c]);
        r.output<T>()[at * s.channels + c] = most;
      }
    });
  });
}

template <class T>
std::unique_ptr<Kernel> max_pool_grad(PoolingShape s) {
  return kernel([=](KernelRun& r) {
    const T* in = r.input<T>(0);
    const T* gradient = r.input<T>(2);
    T* out = r.output<T>();
    std::fill_n(out, s.in_size(), T(0));
    each_window(s, [&](int64_t b, int64_t at, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
      for (int64_t c = 0; c < s.channels; ++c) {
        int64_t first = -1;
        for (int64_t y = y0; y < y1; ++y)
          for (int64_t x = x0; x < x1; ++x) {
            const int64_t i = ((b * s.in_h + y) * s.in_w + x) * s.channels + c;
            if (first < 0 || in[i] > in[first]) first = i;
          }
        if (first >= 0) out[first] += gradient[at * s.channels + c];
      }
    });
  });
}

template <class T>
std::unique_ptr<Kernel> average_pool(PoolingShape s, bool gradient) {
  return kernel([=](KernelRun& r) {
    const T* in = r.input<T>(gradient ? 1 : 0);
    T* out = r.output<T>();
    if (gradient) std::fill_n(out, s.in_size(), T(0));
    each_window(s, [&](int64_t b, int64_t at, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
      const T count = static_cast<T>(std::max<int64_t>((y1 - y0) * (x1 - x0), 1));
      for (int64_t c = 0; c < s.channels; ++c) {
        T sum = 0;
        for (int64_t y = y0; y < y1; ++y)
          for (int64_t x = x0; x < x1; ++x) {
            const int64_t i = ((b * s.in_h + y) * s.in_w + x) * s.channels + c;
            if (gradient)
              out[i] += in[at * s.channels + c] / count;
            else
              sum += in[i];
          }
        if (!gradient) out[at * s.channels + c] = sum / count;
      }
    });
  });
}

AttrMap window_attrs(const Node& n) {
  return same_attrs(n, {"ksize", "strides", "padding", "data_format", "explicit_paddings"});
}

KernelFunction pooling_kernel(cpu::dnnl::PoolingKind kind) {
  return [kind](KernelMake& m) -> std::unique_ptr<Kernel> {
    std::shared_ptr<const cpu::dnnl::PoolingForward> p =
        cpu::dnnl::PoolingForward::make(kind, pooling_shape(m.node(), m.input_shape(0)), m.output_dtype(), m.threads());
    if (!p) return nullptr;
    m.set_scratch(p->scratch_bytes());
    return kernel([p](KernelRun& run) { p->run(run.input_raw(0), run.output_raw(), run.scratch()); });
  };
}

const AttrMap kTwoByTwo = {
    {"ksize", std::vector<int64_t>{1, 2, 2, 1}}, {"strides", std::vector<int64_t>{1, 2, 2, 1}}, {"padding", "SAME"}};

}  // namespace

void register_pooling_ops(OpRegistry& r) {
  r.op("MaxPool")
      .in("input: T")
      .out("output: T")
      .attr("T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, qint8} = DT_FLOAT")
      .attr("ksize: list(int) >= 4")
      .attr("strides: list(int) >= 4")
      .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .attr("explicit_paddings: list(int) = []")
      .attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .doc("The largest value of each window.")
      .shape(forward_shape)
      .fast(pooling_kernel(cpu::dnnl::PoolingKind::Max))
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const PoolingShape s = pooling_shape(m.node(), m.input_shape(0));
        if (m.output_dtype() == DType::Float) return max_pool<float>(s);
        if (m.output_dtype() == DType::Double) return max_pool<double>(s);
        return nullptr;
      })
      .grad([](GradientContext& g) {
        g.set(0, g.make("MaxPoolGrad", {g.input(0), g.output(), g.gradient()}, window_attrs(g.node())));
      })
      .example({.inputs = {{2, 4, 5, 3}}, .attrs = kTwoByTwo});

  r.op("MaxPoolGrad")
      .in("orig_input: T")
      .in("orig_output: T")
      .in("grad: T")
      .out("output: T")
      .attr("ksize: list(int) >= 4")
      .attr("strides: list(int) >= 4")
      .attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .attr("explicit_paddings: list(int) = []")
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64} = DT_FLOAT")
      .doc("The gradient of MaxPool: to the first largest value of each window.")
      .shape([](ShapeContext& c) {
        check_pooled(c, 1, c.input(0));
        check_pooled(c, 2, c.input(0));
        c.set_output(0, c.input(0));
      })
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        if (m.output_dtype() != DType::Float) return nullptr;
        return std::make_unique<MaxPoolGradientKernel>(pooling_shape(m.node(), m.input_shape(0)), m.threads());
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const PoolingShape s = pooling_shape(m.node(), m.input_shape(0));
        if (m.output_dtype() == DType::Float) return max_pool_grad<float>(s);
        if (m.output_dtype() == DType::Double) return max_pool_grad<double>(s);
        return nullptr;
      })
      .no_grad()
      .example({.inputs = {{2, 4, 5, 3}, {2, 2, 3, 3}, {2, 2, 3, 3}}, .attrs = kTwoByTwo});

  r.op("AvgPool")
      .in("value: T")
      .out("output: T")
      .attr("ksize: list(int) >= 4")
      .attr("strides: list(int) >= 4")
      .attr("padding: {'SAME', 'VALID'}")
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .attr("T: {half, bfloat16, float, double}")
      .doc("The mean of each window, of what lies inside the image.")
      .shape(forward_shape)
      .fast(pooling_kernel(cpu::dnnl::PoolingKind::Average))
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const PoolingShape s = pooling_shape(m.node(), m.input_shape(0));
        if (m.output_dtype() == DType::Float) return average_pool<float>(s, false);
        if (m.output_dtype() == DType::Double) return average_pool<double>(s, false);
        return nullptr;
      })
      .grad([](GradientContext& g) {
        g.set(0, g.make("AvgPoolGrad", {g.make("Shape", {g.input(0)}), g.gradient()}, window_attrs(g.node())));
      })
      .example({.inputs = {{2, 4, 5, 3}}, .attrs = kTwoByTwo});

  r.op("AvgPoolGrad")
      .in("orig_input_shape: int32")
      .in("grad: T")
      .out("output: T")
      .attr("ksize: list(int) >= 4")
      .attr("strides: list(int) >= 4")
      .attr("padding: {'SAME', 'VALID'}")
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .attr("T: {half, bfloat16, float, double}")
      .doc("The gradient of AvgPool.")
      .shape([](ShapeContext& c) {
        const Shape s = shape_rule::shape_from_input(c, 0);
        check_pooled(c, 1, s);
        c.set_output(0, s.has_rank() ? s : Shape::of_rank(4));
      })
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        std::shared_ptr<const cpu::dnnl::AveragePoolingBackward> p = cpu::dnnl::AveragePoolingBackward::make(
            pooling_shape(m.node(), m.output_shape()), m.output_dtype(), m.threads());
        if (!p) return nullptr;
        m.set_scratch(p->scratch_bytes());
        return kernel([p](KernelRun& run) { p->run(run.input_raw(1), run.output_raw(), run.scratch()); });
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const PoolingShape s = pooling_shape(m.node(), m.output_shape());
        if (m.output_dtype() == DType::Float) return average_pool<float>(s, true);
        if (m.output_dtype() == DType::Double) return average_pool<double>(s, true);
        return nullptr;
      })
      .grad([](GradientContext& g) { g.set(1, g.make("AvgPool", {g.gradient()}, window_attrs(g.node()))); })
      .example({.inputs = {Tensor::vector<int32_t>({2, 4, 5, 3}), {2, 2, 3, 3}}, .attrs = kTwoByTwo});
}

}  // namespace vf
