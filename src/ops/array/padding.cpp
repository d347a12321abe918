// Borders around tensors.
#include "base/parallel.h"
#include "cpu/elementwise.h"
#include "cpu/layout.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"
#include "ops/gradient.h"
#include "tensor/visit.h"

namespace vf {
namespace {

// Entries 0 and 1 of each row of `paddings`.
struct Border {
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

Border border_of(const std::vector<int64_t>& paddings) {
  Border b;
  for (size_t i = 0; i + 1 < paddings.size(); i += 2) {
    b.before.push_back(paddings[i]);
    b.after.push_back(paddings[i + 1]);
  }
  return b;
}

// sign 1: the border is added; -1: it is taken away.
ShapeFunction padded_shape(int64_t sign) {
  return [sign](ShapeContext& c) {
    const Shape& in = c.input(0);
    const Shape& paddings = c.input(1);
    const auto values = c.constant_ints(1);
    if (paddings.has_rank() && (paddings.rank() != 2 || (paddings[1] >= 0 && paddings[1] != 2)))
      c.fail("paddings must be a matrix with 2 columns: " + paddings.str());
    const int64_t rows = paddings.has_rank() ? paddings[0] : Shape::kUnknown;
    if (in.has_rank() && rows >= 0 && rows != in.rank())
      c.fail("The first dimension of paddings must be the rank of inputs " + paddings.str() + " " + in.str());
    const int64_t rank = in.has_rank() ? in.rank() : rows;
    if (rank < 0) return c.set_output(0, Shape::unknown());
    Shape out = Shape::of_rank(static_cast<int>(rank));
    if (values && in.has_rank()) {
      const Border b = border_of(*values);
      for (int i = 0; i < out.rank(); ++i) {
        const int64_t before = b.before[static_cast<size_t>(i)];
        const int64_t after = b.after[static_cast<size_t>(i)];
        if (before < 0 || after < 0)
          c.fail("Paddings must be non-negative: " + std::to_string(before) + " " + std::to_string(after));
        if (in[i] < 0) continue;
        out.set_dim(i, in[i] + sign * (before + after));
        if (out[i] < 0) c.fail("paddings are wider than the input");
      }
    }
    c.set_output(0, out);
  };
}

std::unique_ptr<Kernel> pad_kernel(KernelMake& m, cpu::PadMode mode) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const Tensor* paddings = m.constant(1);
  if (!paddings) return nullptr;
  const Border b = border_of(integers(*paddings));
  const cpu::PadPlan plan(dtype_size(m.output_dtype()), m.input_shape(0), b.before, b.after, mode);
  const int value = m.num_inputs() > 2 ? 2 : -1;
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    alignas(16) static constexpr char kZero[16] = {};
    plan.run(r.input_raw(0), value < 0 ? kZero : r.input_raw(value), r.output_raw(), threads);
  });
}

// The part of dy that was the input.
void pad_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output paddings = g.input(1);
  const Output size = g.make("Shape", {g.input(0)}, {{"out_type", paddings.dtype()}});
  const Output begin = g.make("Unpack", {paddings}, {{"num", 2}, {"axis", 1}});
  g.set(0, g.make("Slice", {g.gradient(), begin, size}));
}

cpu::PadMode mirror_mode(const KernelMake& m) {
  return m.attr<std::string>("mode") == "REFLECT" ? cpu::PadMode::Reflect : cpu::PadMode::Symmetric;
}

// Adds what lies in a mirrored border back to where it came from.
std::unique_ptr<Kernel> mirror_pad_grad_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  if (!is_floating(dtype) && !is_integer(dtype)) return nullptr;
  const Tensor* paddings = m.constant(1);
  if (!paddings) return nullptr;
  const Shape in = m.input_shape(0);
  const Shape out = m.output_shape();
  const int64_t skip = mirror_mode(m) == cpu::PadMode::Reflect ? 1 : 0;
  // By dimension: where each place of the padded tensor came from.
  std::vector<std::vector<int64_t>> from;
  const Border b = border_of(integers(*paddings));
  for (int d = 0; d < in.rank(); ++d) {
    const int64_t before = b.before[static_cast<size_t>(d)];
    std::vector<int64_t> places;
    for (int64_t i = 0; i < in[d]; ++i) {
      int64_t at = i - before;
      if (at < 0) at = -at - 1 + skip;
      if (at >= out[d]) at = 2 * out[d] - at - 1 - skip;
      if (at < 0 || at >= out[d]) m.fail("paddings must be no greater than the dimension size");
      places.push_back(at);
    }
    from.push_back(std::move(places));
  }
  return visit_number(dtype, [&]<class T>() {
    return kernel([=](KernelRun& r) {
      T* y = r.output<T>();
      std::fill_n(y, out.num_elements(), T{});
      const T* x = r.input<T>(0);
      const int64_t n = in.num_elements();
      for (int64_t i = 0; i < n; ++i) {
        int64_t rest = i;
        int64_t at = 0;
        int64_t stride = 1;
        for (int d = in.rank() - 1; d >= 0; --d) {
          at += from[static_cast<size_t>(d)][static_cast<size_t>(rest % in[d])] * stride;
          rest /= in[d];
          stride *= out[d];
        }
        if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
          y[at] = T(float(y[at]) + float(x[i]));
        else
          y[at] = static_cast<T>(y[at] + x[i]);
      }
    });
  });
}

}  // namespace

void register_padding_ops(OpRegistry& r) {
  const Tensor paddings = Tensor::of<int32_t>({2, 2}, {1, 0, 0, 2});

  r.op("Pad")
      .in("input: T")
      .in("paddings: Tpaddings")
      .out("output: T")
      .attr("T: type")
      .attr("Tpaddings: {int32, int64} = DT_INT32")
      .function("pad_v1")
      .doc("Zeros around the input: row i of paddings says how many before and after along dimension i.")
      .shape(padded_shape(1))
      .cpu([](KernelMake& m) { return pad_kernel(m, cpu::PadMode::Constant); })
      .grad(pad_gradient)
      .example({.inputs = {{2, 3}, paddings}});

  r.op("PadV2")
      .in("input: T")
      .in("paddings: Tpaddings")
      .in("constant_values: T")
      .out("output: T")
      .attr("T: type")
      .attr("Tpaddings: {int32, int64} = DT_INT32")
      .function("pad")
      .doc("A value around the input: row i of paddings says how often before and after along dimension i.")
      .shape(padded_shape(1))
      .cpu([](KernelMake& m) { return pad_kernel(m, cpu::PadMode::Constant); })
      .grad(pad_gradient)
      .example({.inputs = {{2, 3}, paddings, Tensor(0.5F)}});

  r.op("MirrorPad")
      .in("input: T")
      .in("paddings: Tpaddings")
      .out("output: T")
      .attr("T: type")
      .attr("Tpaddings: {int32, int64} = DT_INT32")
      .attr("mode: {'REFLECT', 'SYMMETRIC'}")
      .doc("The input's mirror image around it; SYMMETRIC repeats the border, REFLECT does not.")
      .shape(padded_shape(1))
      .cpu([](KernelMake& m) { return pad_kernel(m, mirror_mode(m)); })
      .grad([](GradientContext& g) {
        g.set(0, g.make("MirrorPadGrad", {g.gradient(), g.input(1)}, {{"mode", g.node().attr<std::string>("mode")}}));
      })
      .example({.inputs = {{2, 3}, paddings}, .attrs = {{"mode", "REFLECT"}}})
      .example({.inputs = {{2, 3}, paddings}, .attrs = {{"mode", "SYMMETRIC"}}});

  r.op("MirrorPadGrad")
      .in("input: T")
      .in("paddings: Tpaddings")
      .out("output: T")
      .attr("T: type")
      .attr("Tpaddings: {int32, int64} = DT_INT32")
      .attr("mode: {'REFLECT', 'SYMMETRIC'}")
      .doc("The gradient of MirrorPad: each element's sum over itself and its mirror images.")
      .shape(padded_shape(-1))
      .cpu(mirror_pad_grad_kernel)
      .grad([](GradientContext& g) {
        g.set(0, g.make("MirrorPad", {g.gradient(), g.input(1)}, {{"mode", g.node().attr<std::string>("mode")}}));
      })
      .example({.inputs = {{3, 5}, paddings}, .attrs = {{"mode", "REFLECT"}}});
}

}  // namespace vf
