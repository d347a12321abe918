// Quotients and remainders, with broadcasting.
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::BinaryOp;

const char* const kNumbers =
    "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, complex64, complex128}";

// Integers cannot be divided by zero.
KernelFunction division_kernel(BinaryOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    std::unique_ptr<Kernel> divide = binary_kernel(op)(m);
    const DType dtype = m.input_dtype(1);
    if (!divide || !is_integer(dtype) || m.output_shape().num_elements() == 0) return divide;
    const int64_t n = m.input_shape(1).num_elements();
    return kernel([dtype, n, divide = std::move(divide)](KernelRun& r) {
      if (cpu::contains_zero(dtype, r.input_raw(1), n)) throw Error(Code::InvalidArgument, "Integer division by zero");
      divide->run(r);
    });
  };
}

// d(x / y) = dx / y - x / y / y dy, with the op's own notion of division.
void quotient_gradient(GradientContext& g) {
  const std::string divide = g.node().type();
  const GradientBuilder b(g);
  const Output x = g.input(0);
  const Output y = g.input(1);
  const Output for_y = g.make(divide, {g.make(divide, {b.neg(x), y}), y});
  set_broadcast_gradients(g, g.make(divide, {g.gradient(), y}), b.mul(g.gradient(), for_y));
}

// Of x - y * trunc(x / y).
void truncate_mod_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output quotient = b.div(b.sub(g.output(), g.input(0)), g.input(1));  // -trunc(x / y)
  set_broadcast_gradients(g, g.gradient(), b.mul(g.gradient(), quotient));
}

}  // namespace

void register_division_ops(OpRegistry& r) {
  binary_op(r, "RealDiv", kNumbers, BinaryOp::Div)
      .cpu(division_kernel(BinaryOp::Div))
      .doc("x / y; integers truncate.")
      .grad(quotient_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .low = 0.5, .high = 2})
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});

  binary_op(r, "Div", kNumbers, BinaryOp::Div)
      .cpu(division_kernel(BinaryOp::Div))
      .doc("x / y; integers truncate.")
      .grad(quotient_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .low = 0.5, .high = 2});

  binary_op(r, "FloorDiv", kNumbers, BinaryOp::FloorDiv)
      .cpu(division_kernel(BinaryOp::FloorDiv))
      .doc("x / y, rounded down.")
      .no_grad()
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});

  binary_op(r, "TruncateDiv", kNumbers, BinaryOp::Div)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        return is_integer(m.input_dtype(0)) ? division_kernel(BinaryOp::Div)(m) : nullptr;  // as in TensorFlow
      })
      .doc("x / y of integers, rounded toward zero.")
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({7, -7, 7}), Tensor::vector<int32_t>({2, 2, -2})}});

  binary_op(r, "FloorMod", "{int8, int16, int32, int64, uint8, uint16, uint32, uint64, bfloat16, half, float, double}",
            BinaryOp::FloorMod)
      .cpu(division_kernel(BinaryOp::FloorMod))
      .doc("The remainder of x / y rounded down: it has the sign of y.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output quotient = g.make("FloorDiv", {g.input(0), g.input(1)});
        set_broadcast_gradients(g, g.gradient(), b.mul(g.gradient(), b.neg(quotient)));
      })
      .example({.inputs = {{2, 3}, Tensor(0.75F)}, .low = 0.8, .high = 1.4})
      .example({.inputs = {Tensor::vector<int32_t>({7, -7, 7}), Tensor::vector<int32_t>({2, 2, -2})}});

  for (const char* name : {"Mod", "TruncateMod"}) {
    const bool mod = std::string(name) == "Mod";
    binary_op(
        r, name,
        mod ? "{int32, int64, half, half, bfloat16, float, double}" : "{int32, int64, bfloat16, half, float, double}",
        BinaryOp::TruncateMod)
        .cpu(division_kernel(BinaryOp::TruncateMod))
        .doc("The remainder of x / y rounded toward zero: it has the sign of x.")
        .grad(truncate_mod_gradient)
        .example({.inputs = {{2, 3}, Tensor(0.75F)}, .low = 0.8, .high = 1.4});
  }

  binary_op(r, "DivNoNan", "{half, float, bfloat16, double, complex64, complex128}", BinaryOp::DivNoNan)
      .doc("x / y, and 0 where y is 0.")
      .grad(quotient_gradient)
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2})
      .example({.inputs = {{3}, Tensor::vector<float>({0, 1, 2})}, .gradient = false});

  binary_op(r, "MulNoNan", kFloatsAndComplex, BinaryOp::MulNoNan)
      .doc("x * y, and 0 where y is 0 even if x is infinite or NaN.")
      .grad([](GradientContext& g) {
        set_broadcast_gradients(g, g.make("MulNoNan", {g.gradient(), g.input(1)}),
                                g.make("MulNoNan", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {3}}});

  const char* const types = "{half, bfloat16, float, double, complex64, complex128}";
  binary_op(r, "Xdivy", types, BinaryOp::Xdivy)
      .doc("x / y, and 0 where x is 0.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output x = g.input(0);
        const Output y = g.input(1);
        const Output not_zero = b.cast(g.make("NotEqual", {x, 0.0F}), x.dtype());
        set_broadcast_gradients(g, b.mul(g.make("Xdivy", {not_zero, y}), g.gradient()),
                                b.mul(g.make("Xdivy", {b.neg(x), b.square(y)}), g.gradient()));
      })
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});

  binary_op(r, "Xlogy", types, BinaryOp::Xlogy)
      .doc("x * log(y), and 0 where x is 0.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output x = g.input(0);
        const Output y = g.input(1);
        const Output not_zero = b.cast(g.make("NotEqual", {x, 0.0F}), x.dtype());
        set_broadcast_gradients(g, b.mul(g.make("Xlogy", {not_zero, y}), g.gradient()),
                                b.mul(g.make("Xdivy", {x, y}), g.gradient()));
      })
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});
}

}  // namespace vf
