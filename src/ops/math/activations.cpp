// Activations and the ops of their gradients.
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"
#include "ops/pooled_relu.h"

namespace vf {
namespace {

using cpu::BinaryOp;
using cpu::UnaryOp;

const char* const kReals = "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}";
const char* const kReluTypes =
    "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8}";

OpBuilder activation(OpRegistry& r, const std::string& name, const std::string& types, UnaryOp op) {
  return r.op(name)
      .in("features: T")
      .out("activations: T")
      .attr("T: " + types)
      .shape(shape_rule::unchanged)
      .cpu(unary_kernel(op));
}

// The op of an activation's gradient, from the features or from the activations.
OpBuilder activation_gradient(OpRegistry& r, const std::string& name, const std::string& second,
                              const std::string& types, BinaryOp op) {
  return r.op(name)
      .in("gradients: T")
      .in(second + ": T")
      .out("backprops: T")
      .attr("T: " + types)
      .shape(shape_rule::merged)
      .cpu(binary_kernel(op));
}

// dx = op(dy, x), or op(dy, y).
GradientFunction from_features(const std::string& op) {
  return [op](GradientContext& g) { g.set(0, g.make(op, {g.gradient(), g.input(0)})); };
}
GradientFunction from_outputs(const std::string& op) {
  return [op](GradientContext& g) { g.set(0, g.make(op, {g.gradient(), g.output()})); };
}

// Of a gradient that depends on the features by their sign alone.
void piecewise_gradient_gradient(GradientContext& g) {
  g.set(0, g.make(g.node().type(), {g.gradient(), g.input(1)}));
  g.set(1, g.make("ZerosLike", {g.input(1)}));
}

// Of EluGrad and SeluGrad: where the output is negative the gradient grows with it.
void exponential_gradient_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output outputs = g.input(1);
  g.set(0, g.make(g.node().type(), {g.gradient(), outputs}));
  g.set(1, b.select(g.make("Less", {outputs, 0.0F}), b.mul(g.gradient(), g.input(0)), b.zeros_like(outputs)));
}

OpBuilder from_y_and_dy(OpRegistry& r, const std::string& name, BinaryOp op) {
  return r.op(name)
      .in("y: T")
      .in("dy: T")
      .out("z: T")
      .attr(std::string("T: ") + kFloatsAndComplex)
      .shape([](ShapeContext& c) { c.set_output(0, c.input(0)); })
      .cpu(binary_kernel(op));
}

void register_saturating(OpRegistry& r) {
  unary_op(r, "Tanh", kFloatsAndComplex, UnaryOp::Tanh)
      .doc("The hyperbolic tangent of x.")
      .grad([](GradientContext& g) {
        g.set(0, g.make("TanhGrad", {g.output(), g.gradient()}));
      })
      .example({.inputs = {{2, 3}}, .low = -2, .high = 2});
  from_y_and_dy(r, "TanhGrad", BinaryOp::TanhGrad)
      .doc("The gradient of Tanh: dy * (1 - y * y).")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        g.set(0, b.mul(b.mul(b.mul(g.gradient(), -2.0F), g.input(1)), g.input(0)));
        g.set(1, g.make("TanhGrad", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {2, 3}}});

  unary_op(r, "Sigmoid", kFloatsAndComplex, UnaryOp::Sigmoid)
      .doc("1 / (1 + exp(-x))")
      .grad([](GradientContext& g) {
        g.set(0, g.make("SigmoidGrad", {g.output(), g.gradient()}));
      })
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});
  from_y_and_dy(r, "SigmoidGrad", BinaryOp::SigmoidGrad)
      .doc("The gradient of Sigmoid: dy * y * (1 - y).")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output share = b.mul(g.gradient(), g.input(1));
        g.set(0, b.sub(share, b.mul(b.mul(2.0F, share), g.input(0))));
        g.set(1, g.make("SigmoidGrad", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {2, 3}}});
}

void register_smooth(OpRegistry& r) {
  activation(r, "Softplus", kFloatsHalfFirst, UnaryOp::Softplus)
      .doc("log(exp(features) + 1)")
      .grad(from_features("SoftplusGrad"))
      .example({.inputs = {{2, 3}}, .low = -3, .high = 3});
  activation_gradient(r, "SoftplusGrad", "features", kFloatsHalfFirst, BinaryOp::SoftplusGrad)
      .doc("The gradient of Softplus: gradients / (exp(-features) + 1).")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output x = g.input(1);
        g.set(0, g.make("SoftplusGrad", {g.gradient(), x}));
        const Output width = b.add(b.add(g.make("Exp", {b.neg(x)}), 2.0F), g.make("Exp", {x}));
        g.set(1, b.div(b.mul(g.gradient(), g.input(0)), width));
      })
      .example({.inputs = {{2, 3}, {2, 3}}, .low = -2, .high = 2});

  activation(r, "Softsign", kFloatsHalfFirst, UnaryOp::Softsign)
      .doc("features / (abs(features) + 1)")
      .grad(from_features("SoftsignGrad"))
      .example({.inputs = {{2, 3}}, .kinks = {0}});
  activation_gradient(r, "SoftsignGrad", "features", kFloatsHalfFirst, BinaryOp::SoftsignGrad)
      .doc("The gradient of Softsign: gradients / (1 + abs(features)) ^ 2.")
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output x = g.input(1);
        g.set(0, g.make("SoftsignGrad", {g.gradient(), x}));
        const Output slope = b.div(b.mul(-2.0F, g.make("Sign", {x})), b.add(1.0F, g.make("Abs", {x})));
        g.set(1, b.mul(b.mul(g.gradient(), g.output()), slope));
      })
      .example({.inputs = {{2, 3}, {2, 3}}, .kinks = {0}});

  activation(r, "Elu", kFloatsHalfFirst, UnaryOp::Elu)
      .doc("features, and exp(features) - 1 where they are negative.")
      .grad(from_outputs("EluGrad"))
      .example({.inputs = {{2, 3}}, .kinks = {0}});
  activation_gradient(r, "EluGrad", "outputs", kFloatsHalfFirst, BinaryOp::EluGrad)
      .doc("The gradient of Elu from its output.")
      .grad(exponential_gradient_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .kinks = {0}});

  activation(r, "Selu", kFloatsHalfFirst, UnaryOp::Selu)
      .doc("scale * features, and scale * alpha * (exp(features) - 1) where they are negative.")
      .grad(from_outputs("SeluGrad"))
      .example({.inputs = {{2, 3}}, .kinks = {0}});
  activation_gradient(r, "SeluGrad", "outputs", kFloatsHalfFirst, BinaryOp::SeluGrad)
      .doc("The gradient of Selu from its output.")
      .grad(exponential_gradient_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .kinks = {0}});
}

void register_rectifiers(OpRegistry& r) {
  activation(r, "Relu", kReluTypes, UnaryOp::Relu)
      .doc("max(features, 0)")
      .grad(from_outputs("ReluGrad"))
      .example({.inputs = {{2, 3}}, .kinks = {0}});
  activation_gradient(r, "ReluGrad", "features", kReals, BinaryOp::ReluGrad)
      .fast([](KernelMake& m) -> std::unique_ptr<Kernel> {
        if (m.output_dtype() != DType::Float) return nullptr;
        return relu_gradient_kernel(binary_kernel(BinaryOp::ReluGrad)(m));
      })
      .doc("The gradients where the features (or the outputs of Relu) are positive, else 0.")
      .grad(piecewise_gradient_gradient)
      .example({.inputs = {{2, 3}, {2, 3}}, .kinks = {0}});

  activation(r, "Relu6", kReals, UnaryOp::Relu6)
      .doc("min(max(features, 0), 6)")
      .grad(from_outputs("Relu6Grad"))
      .example({.inputs = {{3, 5}}, .low = -2, .high = 8, .kinks = {0, 6}});
  activation_gradient(r, "Relu6Grad", "features", kReals, BinaryOp::Relu6Grad)
      .doc("The gradients where the features are between 0 and 6, else 0.")
      .grad(piecewise_gradient_gradient)
      .example({.inputs = {{3, 5}, {3, 5}}, .low = -2, .high = 8, .kinks = {0, 6}});

  r.op("LeakyRelu")
      .in("features: T")
      .out("activations: T")
      .attr("alpha: float = 0.2")
      .attr(std::string("T: ") + kFloatsHalfFirst + " = DT_FLOAT")
      .doc("features, and alpha * features where they are negative.")
      .shape(shape_rule::unchanged)
      .cpu([](KernelMake& m) {
        const float alpha = m.attr<float>("alpha");
        const DType dtype = m.input_dtype(0);
        const int64_t n = m.output_shape().num_elements();
        const int threads = m.threads();
        m.allow_in_place(0);
        return kernel(
            [=](KernelRun& run) { cpu::leaky_relu(dtype, alpha, run.input_raw(0), run.output_raw(), n, threads); });
      })
      .grad([](GradientContext& g) {
        g.set(0, g.make("LeakyReluGrad", {g.gradient(), g.input(0)}, {{"alpha", g.node().attr<float>("alpha")}}));
      })
      .example({.inputs = {{2, 3}}, .kinks = {0}});
  r.op("LeakyReluGrad")
      .in("gradients: T")
      .in("features: T")
      .out("backprops: T")
      .attr("alpha: float = 0.2")
      .attr(std::string("T: ") + kFloatsHalfFirst + " = DT_FLOAT")
      .doc("The gradient of LeakyRelu.")
      .shape(shape_rule::merged)
      .cpu([](KernelMake& m) {
        const float alpha = m.attr<float>("alpha");
        const DType dtype = m.input_dtype(0);
        const int64_t n = m.output_shape().num_elements();
        const int threads = m.threads();
        m.allow_in_place(0);
        m.allow_in_place(1);
        return kernel([=](KernelRun& run) {
          cpu::leaky_relu_grad(dtype, alpha, run.input_raw(0), run.input_raw(1), run.output_raw(), n, threads);
        });
      })
      .grad([](GradientContext& g) {
        g.set(0, g.make("LeakyReluGrad", {g.gradient(), g.input(1)}, {{"alpha", g.node().attr<float>("alpha")}}));
        g.set(1, g.make("ZerosLike", {g.input(1)}));
      })
      .example({.inputs = {{2, 3}, {2, 3}}, .kinks = {0}});
}

}  // namespace

void register_activation_ops(OpRegistry& r) {
  register_saturating(r);
  register_smooth(r);
  register_rectifiers(r);
}

}  // namespace vf
