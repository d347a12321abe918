// Powers, exponentials and logarithms.
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::UnaryOp;

const char* const kNumbers = "{bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}";

// "SqrtGrad" and its like: (y, dy) -> dx, from the forward op's result.
OpBuilder gradient_op(OpRegistry& r, const std::string& name, cpu::BinaryOp op) {
  return r.op(name)
      .in("y: T")
      .in("dy: T")
      .out("z: T")
      .attr(std::string("T: ") + kFloatsAndComplex)
      .shape([](ShapeContext& c) { c.set_output(0, c.input(0)); })
      .cpu(binary_kernel(op));
}

GradientFunction through(const std::string& gradient_op) {
  return [gradient_op](GradientContext& g) { g.set(0, g.make(gradient_op, {g.output(), g.gradient()})); };
}

void reciprocal_gradient_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  g.set(0, b.mul(b.mul(b.mul(g.gradient(), -2.0F), g.input(1)), g.input(0)));
  g.set(1, g.make("ReciprocalGrad", {g.input(0), g.gradient()}));
}

void pow_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output x = g.input(0);
  const Output y = g.input(1);
  const Output for_x = b.mul(b.mul(g.gradient(), y), g.make("Pow", {x, b.sub(y, 1)}));
  // The logarithm is taken where it exists only, so that no NaN comes from elsewhere.
  const Output positive = g.make("Greater", {x, 0});
  const Output safe = b.select(positive, x, g.make("OnesLike", {x}));
  const Output log_x = b.select(positive, g.make("Log", {safe}), b.zeros_like(x));
  set_broadcast_gradients(g, for_x, b.mul(b.mul(g.gradient(), g.output()), log_x));
}

}  // namespace

void register_power_ops(OpRegistry& r) {
  unary_op(r, "Square",
           "{bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
           "complex128}",
           UnaryOp::Square)
      .doc("x * x")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        g.set(0, b.mul(g.gradient(), b.mul(g.input(0), 2)));
      })
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Sqrt", kFloatsAndComplex, UnaryOp::Sqrt)
      .doc("The square root of x.")
      .grad(through("SqrtGrad"))
      .example({.inputs = {{2, 3}}, .low = 0.2, .high = 2});
  gradient_op(r, "SqrtGrad", cpu::BinaryOp::SqrtGrad)
      .doc("The gradient of Sqrt: dy / 2 / y.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output share = b.div(g.gradient(), g.input(0));
        g.set(0, b.mul(b.neg(share), g.output()));
        g.set(1, b.mul(0.5F, share));
      })
      .example({.inputs = {{2, 3}, {2, 3}}, .low = 0.5, .high = 2});

  unary_op(r, "Rsqrt", kFloatsAndComplex, UnaryOp::Rsqrt)
      .doc("1 / sqrt(x)")
      .grad(through("RsqrtGrad"))
      .example({.inputs = {{2, 3}}, .low = 0.2, .high = 2});
  gradient_op(r, "RsqrtGrad", cpu::BinaryOp::RsqrtGrad)
      .doc("The gradient of Rsqrt: -dy / 2 * y * y * y.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        g.set(0, b.mul(b.mul(b.mul(-1.5F, g.gradient()), g.input(1)), b.square(g.input(0))));
        g.set(1, g.make("RsqrtGrad", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {2, 3}}});

  for (const char* name : {"Reciprocal", "Inv"})
    unary_op(r, name, kNumbers, UnaryOp::Reciprocal)
        .doc("1 / x")
        .grad(through("ReciprocalGrad"))
        .example({.inputs = {{2, 3}}, .low = 0.5, .high = 2});
  for (const char* name : {"ReciprocalGrad", "InvGrad"})
    gradient_op(r, name, cpu::BinaryOp::ReciprocalGrad)
        .doc("The gradient of Reciprocal: -dy * y * y.")
        .grad(reciprocal_gradient_gradient)
        .example({.inputs = {{2, 3}, {2, 3}}});

  unary_op(r, "Exp", kFloatsAndComplex, UnaryOp::Exp)
      .doc("e to the power x.")
      .grad([](GradientContext& g) {
        g.set(0, g.make("Mul", {g.gradient(), g.output()}));
      })
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Expm1", kFloatsAndComplex, UnaryOp::Expm1)
      .doc("exp(x) - 1, exact for small x.")
      .grad([](GradientContext& g) {
        g.set(0, g.make("Mul", {g.gradient(), g.make("Exp", {g.input(0)})}));
      })
      .example({.inputs = {{2, 3}}});

  unary_op(r, "Log", kFloatsAndComplex, UnaryOp::Log)
      .doc("The natural logarithm of x.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        g.set(0, b.mul(g.gradient(), b.reciprocal(g.input(0))));
      })
      .example({.inputs = {{2, 3}}, .low = 0.2, .high = 3});

  unary_op(r, "Log1p", kFloatsAndComplex, UnaryOp::Log1p)
      .doc("log(1 + x), exact for small x.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        g.set(0, b.mul(g.gradient(), b.reciprocal(b.add(1.0F, g.input(0)))));
      })
      .example({.inputs = {{2, 3}}, .low = -0.5, .high = 2});

  binary_op(r, "Pow", "{bfloat16, float, half, double, int8, int16, int32, int64, complex64, complex128}",
            cpu::BinaryOp::Pow)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        std::unique_ptr<Kernel> power = binary_kernel(cpu::BinaryOp::Pow)(m);
        const DType dtype = m.input_dtype(1);
        if (!power || !is_integer(dtype)) return power;
        const int64_t n = m.input_shape(1).num_elements();
        return kernel([dtype, n, power = std::move(power)](KernelRun& run) {
          if (cpu::contains_negative(dtype, run.input_raw(1), n))
            throw Error(Code::InvalidArgument, "Integers to negative integer powers are not allowed");
          power->run(run);
        });
      })
      .doc("x to the power y.")
      .grad(pow_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .low = 0.5, .high = 2})
      .example({.inputs = {{2, 3}, {3}}, .low = 0.5, .high = 2});
}

}  // namespace vf
