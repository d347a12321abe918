// Signs and rounding.
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {

void register_rounding_ops(OpRegistry& r) {
  using cpu::UnaryOp;
  const char* const numbers = "{bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}";

  unary_op(r, "Neg", numbers, UnaryOp::Neg)
      .function("negative")
      .doc("The negative: -x.")
      .grad([](GradientContext& g) { g.set(0, g.make("Neg", {g.gradient()})); })
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Abs", "{bfloat16, half, float, double, int8, int16, int32, int64}", UnaryOp::Abs)
      .doc("The magnitude of x.")
      .grad([](GradientContext& g) {
        g.set(0, g.make("Mul", {g.gradient(), g.make("Sign", {g.input(0)})}));
      })
      .example({.inputs = {{2, 3}}, .kinks = {0}});

  unary_op(r, "Sign", numbers, UnaryOp::Sign)
      .doc("-1, 0 or 1 by the sign of x; NaN stays.")
      .grad([](GradientContext& g) { g.set(0, g.make("ZerosLike", {g.input(0)})); })
      .example({.inputs = {{2, 3}}, .kinks = {0}});

  unary_op(r, "Floor", kFloats, UnaryOp::Floor)
      .doc("x rounded down to an integer.")
      .no_grad()
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Ceil", kFloats, UnaryOp::Ceil)
      .doc("x rounded up to an integer.")
      .no_grad()
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Rint", kFloats, UnaryOp::Rint)
      .doc("x rounded to the nearest integer, halves to the even one.")
      .no_grad()
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Round", numbers, UnaryOp::Rint)
      .doc("x rounded to the nearest integer, halves to the even one.")
      .no_grad()
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});
}

}  // namespace vf
