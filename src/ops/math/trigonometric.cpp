// Trigonometric and hyperbolic functions, and the error function.
#include <numbers>

#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::UnaryOp;

// dx = dy * f(x), or dy / f(y) and the like: `factor` builds what the gradient is multiplied by.
GradientFunction times(Output (*factor)(GradientContext& g, const GradientBuilder& b)) {
  return [factor](GradientContext& g) {
    const GradientBuilder b(g);
    g.set(0, b.mul(g.gradient(), factor(g, b)));
  };
}

Output one_minus_square(GradientContext& g, const GradientBuilder& b) { return b.sub(1.0F, b.square(g.input(0))); }

// exp(-x * x) * sign * 2 / sqrt(pi)
GradientFunction erf_gradient(double sign) {
  return [sign](GradientContext& g) {
    const GradientBuilder b(g);
    const Output bell = g.make("Exp", {b.neg(b.square(g.input(0)))});
    g.set(0, b.mul(b.mul(b.number(sign * 2 * std::numbers::inv_sqrtpi, g.input(0)), g.gradient()), bell));
  };
}

}  // namespace

void register_trigonometric_ops(OpRegistry& r) {
  unary_op(r, "Sin", kFloatsAndComplex, UnaryOp::Sin)
      .doc("The sine of x, in radians.")
      .grad(times([](GradientContext& g, const GradientBuilder&) { return g.make("Cos", {g.input(0)}); }))
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Cos", kFloatsAndComplex, UnaryOp::Cos)
      .doc("The cosine of x, in radians.")
      .grad(times([](GradientContext& g, const GradientBuilder& b) { return b.neg(g.make("Sin", {g.input(0)})); }))
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Tan", kFloatsAndComplex, UnaryOp::Tan)
      .doc("The tangent of x, in radians.")
      .grad(times([](GradientContext& g, const GradientBuilder& b) {
        return b.square(b.reciprocal(g.make("Cos", {g.input(0)})));
      }))
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Asin", kFloatsAndComplex, UnaryOp::Asin)
      .doc("The angle in [-pi/2, pi/2] whose sine is x.")
      .grad(times([](GradientContext& g, const GradientBuilder& b) {
        return b.reciprocal(g.make("Sqrt", {one_minus_square(g, b)}));
      }))
      .example({.inputs = {{2, 3}}, .low = -0.9, .high = 0.9});

  unary_op(r, "Acos", kFloatsAndComplex, UnaryOp::Acos)
      .doc("The angle in [0, pi] whose cosine is x.")
      .grad(times([](GradientContext& g, const GradientBuilder& b) {
        return b.neg(b.reciprocal(g.make("Sqrt", {one_minus_square(g, b)})));
      }))
      .example({.inputs = {{2, 3}}, .low = -0.9, .high = 0.9});

  unary_op(r, "Atan", kFloatsAndComplex, UnaryOp::Atan)
      .doc("The angle in [-pi/2, pi/2] whose tangent is x.")
      .grad(times(
          [](GradientContext& g, const GradientBuilder& b) { return b.reciprocal(b.add(1.0F, b.square(g.input(0)))); }))
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  r.op("Atan2")
      .in("y: T")
      .in("x: T")
      .out("z: T")
      .attr(std::string("T: ") + kFloats)
      .doc("The angle of the point (x, y), in [-pi, pi].")
      .shape(shape_rule::broadcast)
      .cpu(binary_kernel(cpu::BinaryOp::Atan2))
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output y = g.input(0);
        const Output x = g.input(1);
        const Output share = b.div(g.gradient(), b.add(b.square(x), b.square(y)));
        set_broadcast_gradients(g, b.mul(x, share), b.mul(b.neg(y), share));
      })
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});

  unary_op(r, "Sinh", kFloatsAndComplex, UnaryOp::Sinh)
      .doc("The hyperbolic sine of x.")
      .grad(times([](GradientContext& g, const GradientBuilder&) { return g.make("Cosh", {g.input(0)}); }))
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Cosh", kFloatsAndComplex, UnaryOp::Cosh)
      .doc("The hyperbolic cosine of x.")
      .grad(times([](GradientContext& g, const GradientBuilder&) { return g.make("Sinh", {g.input(0)}); }))
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Asinh", kFloatsAndComplex, UnaryOp::Asinh)
      .doc("The number whose hyperbolic sine is x.")
      .grad(times(
          [](GradientContext& g, const GradientBuilder& b) { return b.reciprocal(g.make("Cosh", {g.output()})); }))
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});

  unary_op(r, "Acosh", kFloatsAndComplex, UnaryOp::Acosh)
      .doc("The number that is not negative and whose hyperbolic cosine is x.")
      .grad(times(
          [](GradientContext& g, const GradientBuilder& b) { return b.reciprocal(g.make("Sinh", {g.output()})); }))
      .example({.inputs = {{2, 3}}, .low = 1.2, .high = 3});

  unary_op(r, "Atanh", kFloatsAndComplex, UnaryOp::Atanh)
      .doc("The number whose hyperbolic tangent is x.")
      .grad(times([](GradientContext& g, const GradientBuilder& b) { return b.reciprocal(one_minus_square(g, b)); }))
      .example({.inputs = {{2, 3}}, .low = -0.9, .high = 0.9});

  unary_op(r, "Erf", kFloats, UnaryOp::Erf)
      .doc("The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.")
      .grad(erf_gradient(1))
      .example({.inputs = {{2, 3}}, .low = -2, .high = 2});

  unary_op(r, "Erfc", kFloats, UnaryOp::Erfc)
      .doc("1 - erf(x), exact where it is small.")
      .grad(erf_gradient(-1))
      .example({.inputs = {{2, 3}}, .low = -2, .high = 2});
}

}  // namespace vf
