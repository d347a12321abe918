// Running sums and products along an axis.
#include <algorithm>

#include "base/parallel.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"
#include "tensor/visit.h"

namespace vf {
namespace {

// One step rounds to the dtype, as TensorFlow's does.
KernelFunction scan_kernel(cpu::BinaryOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(0);
    const auto loops = cpu::binary_loops(op, dtype);
    if (!loops) return nullptr;
    const Tensor* at = m.constant(1);
    if (!at) return nullptr;
    const Shape& in = m.input_shape(0);
    auto axis = static_cast<int64_t>(at->number(0));
    if (axis < -in.rank() || axis >= in.rank())
      m.fail("ScanOp: Expected scan axis in the range [" + std::to_string(-in.rank()) + ", " +
             std::to_string(in.rank()) + "), but got " + std::to_string(axis));
    if (axis < 0) axis += in.rank();
    int64_t outer = 1;
    int64_t inner = 1;
    for (int i = 0; i < in.rank(); ++i) {
      if (i < axis) outer *= in[i];
      if (i > axis) inner *= in[i];
    }
    const int64_t count = in[static_cast<int>(axis)];
    const bool exclusive = m.attr<bool>("exclusive");
    const bool reverse = m.attr<bool>("reverse");
    const auto size = static_cast<int64_t>(dtype_size(dtype));
    const int threads = m.threads();
    const Tensor start = Tensor(op == cpu::BinaryOp::Add ? 0.0F : 1.0F).cast(dtype);
    return kernel([=](KernelRun& r) {
      const int64_t row = inner * size;
      parallel_for(threads, outer, std::max<int64_t>(1, cpu::kGrain / std::max<int64_t>(1, count * inner)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t o = begin; o < end; ++o) {
                       const char* x = r.input<char>(0) + o * count * row;
                       char* y = r.output<char>() + o * count * row;
                       const char* previous = nullptr;
                       for (int64_t k = 0; k < count; ++k) {
                         const int64_t to = reverse ? count - 1 - k : k;
                         const int64_t from = exclusive ? (reverse ? to + 1 : to - 1) : to;
                         char* result = y + to * row;
                         if (k == 0 && exclusive)
                           for (int64_t i = 0; i < inner; ++i)
                             std::copy_n(static_cast<const char*>(start.raw()), size, result + i * size);
                         else if (k == 0)
                           std::copy_n(x + from * row, row, result);
                         else
                           loops.both(previous, x + from * row, result, inner);
                         previous = result;
                       }
                     }
                   });
    });
  };
}

OpBuilder scan(OpRegistry& r, const std::string& name, cpu::BinaryOp op) {
  return r.op(name)
      .in("x: T")
      .in("axis: Tidx")
      .out("out: T")
      .attr("exclusive: bool = false")
      .attr("reverse: bool = false")
      .attr("T: numbertype")
      .attr("Tidx: {int32, int64} = DT_INT32")
      .shape(shape_rule::unchanged)
      .cpu(scan_kernel(op))
      .example({.inputs = {{2, 3, 4}, Tensor(1)}})
      .example({.inputs = {{2, 3}, Tensor(-1)}, .attrs = {{"exclusive", true}}})
      .example({.inputs = {{2, 3}, Tensor(0)}, .attrs = {{"reverse", true}}})
      .example({.inputs = {{3, 2}, Tensor(0)}, .attrs = {{"exclusive", true}, {"reverse", true}}});
}

// Of what came before, turned round: what comes after.
AttrMap turned(const Node& n) {
  return {{"exclusive", n.attr<bool>("exclusive")}, {"reverse", !n.attr<bool>("reverse")}};
}

}  // namespace

void register_cumulative_ops(OpRegistry& r) {
  scan(r, "Cumsum", cpu::BinaryOp::Add)
      .doc("The sum of all elements so far along the axis; with `exclusive` without the element itself.")
      .grad([](GradientContext& g) {
        g.set(0, g.make("Cumsum", {g.gradient(), g.input(1)}, turned(g.node())));
      });
  scan(r, "Cumprod", cpu::BinaryOp::Mul)
      .doc("The product of all elements so far along the axis; with `exclusive` without the element itself.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output share = b.mul(g.output(), g.gradient());
        g.set(0, g.make("DivNoNan", {g.make("Cumsum", {share, g.input(1)}, turned(g.node())), g.input(0)}));
      });
}

}  // namespace vf
