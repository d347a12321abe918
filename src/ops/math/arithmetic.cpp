// Sums, differences, products and the like, with broadcasting.
#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::BinaryOp;

// A tile of the sum stays in the cache while the inputs are added to it.
constexpr int64_t kTile = 4096;

// x0 + x1 + ..., from left to right.
std::unique_ptr<Kernel> sum_kernel(KernelMake& m) {
  const auto loops = cpu::binary_loops(BinaryOp::Add, m.output_dtype());
  if (!loops) return nullptr;
  const int64_t n = m.output_shape().num_elements();
  const size_t size = dtype_size(m.output_dtype());
  const int inputs = m.num_inputs();
  const int threads = m.threads();
  m.allow_in_place(0);
  if (inputs == 1) {
    return kernel([=](KernelRun& r) {
      if (r.output_raw() != r.input_raw(0))
        std::copy_n(r.input<char>(0), static_cast<size_t>(n) * size, r.output<char>());
    });
  }
  m.allow_in_place(1);
  return kernel([=](KernelRun& r) {
    parallel_for(threads, n, cpu::kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; at += kTile) {
        const int64_t count = std::min(kTile, end - at);
        const size_t offset = static_cast<size_t>(at) * size;
        char* sum = r.output<char>() + offset;
        loops.both(r.input<char>(0) + offset, r.input<char>(1) + offset, sum, count);
        for (int i = 2; i < inputs; ++i) loops.both(sum, r.input<char>(i) + offset, sum, count);
      }
    });
  });
}

void sum_gradient(GradientContext& g) {
  for (int i = 0; i < static_cast<int>(g.node().inputs().size()); ++i) g.set(i, g.gradient());
}

// Where x is chosen, its share of the gradient is all of it.
GradientFunction extreme_gradient(const std::string& compare) {
  return [compare](GradientContext& g) {
    const GradientBuilder b(g);
    const Output x_chosen = g.make(compare, {g.input(0), g.input(1)});
    const Output zeros = b.zeros_like(g.gradient());
    set_broadcast_gradients(g, b.select(x_chosen, g.gradient(), zeros), b.select(x_chosen, zeros, g.gradient()));
  };
}

}  // namespace

void register_arithmetic_ops(OpRegistry& r) {
  const auto add_gradient = [](GradientContext& g) { set_broadcast_gradients(g, g.gradient(), g.gradient()); };

  binary_op(r, "Add",
            "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}",
            BinaryOp::Add)
      .function("add_v1")
      .doc("x + y")
      .grad(add_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}});

  binary_op(r, "AddV2",
            "{bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, "
            "complex128}",
            BinaryOp::Add)
      .function("add")
      .commutative()
      .aggregate()
      .doc("x + y")
      .grad(add_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}})
      .example({.inputs = {{2, 1}, {1, 3}}});

  binary_op(r, "Sub",
            "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, uint32, "
            "uint64}",
            BinaryOp::Sub)
      .function("subtract")
      .doc("x - y")
      .grad([](GradientContext& g) { set_broadcast_gradients(g, g.gradient(), g.make("Neg", {g.gradient()})); })
      .example({.inputs = {{2, 3}, {3}}})
      .example({.inputs = {{2, 3}, {}}});

  binary_op(r, "Mul",
            "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, "
            "complex128}",
            BinaryOp::Mul)
      .function("multiply")
      .commutative()
      .doc("x * y")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        set_broadcast_gradients(g, b.mul(g.gradient(), g.input(1)), b.mul(g.input(0), g.gradient()));
      })
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}});

  binary_op(r, "SquaredDifference", "{bfloat16, half, float, double, int32, int64, complex64, complex128}",
            BinaryOp::SquaredDifference)
      .commutative()
      .doc("(x - y) * (x - y)")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output for_x = b.mul(b.mul(2.0F, g.gradient()), b.sub(g.input(0), g.input(1)));
        set_broadcast_gradients(g, for_x, b.neg(for_x));
      })
      .example({.inputs = {{2, 3}, {3}}});

  const std::string ordered =
      "{bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64}";
  binary_op(r, "Maximum", ordered, BinaryOp::Maximum)
      .doc("The greater of x and y; NaN where either is.")
      .grad(extreme_gradient("GreaterEqual"))
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}});
  binary_op(r, "Minimum", ordered, BinaryOp::Minimum)
      .doc("The lesser of x and y; NaN where either is.")
      .grad(extreme_gradient("LessEqual"))
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}});

  r.op("AddN")
      .in("inputs: N * T")
      .out("sum: T")
      .attr("N: int >= 1")
      .attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64, variant}")
      .commutative()
      .aggregate()
      .doc("The sum of all inputs, which have one shape.")
      .shape(shape_rule::merged)
      .cpu(sum_kernel)
      .grad(sum_gradient)
      .example({.inputs = {{2, 3}}})
      .example({.inputs = {{2, 3}, {2, 3}, {2, 3}}});

  r.op("AccumulateNV2")
      .in("inputs: N * T")
      .out("sum: T")
      .attr("N: int >= 1")
      .attr("T: numbertype")
      .attr("shape: shape")
      .commutative()
      .aggregate()
      .doc("The sum of all inputs, which have one shape.")
      .shape(shape_rule::merged)
      .cpu(sum_kernel)
      .grad(sum_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .attrs = {{"shape", Shape{2, 3}}}});
}

}  // namespace vf
