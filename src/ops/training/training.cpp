// What optimizers apply: one pass over a variable and its slots, in place.
#include "cpu/optimizers.h"

#include "graph/shape_rules.h"
#include "ops/register.h"
#include "tensor/visit.h"

namespace vf {
namespace {

constexpr const char* kTypes =
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, "
    "qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, uint32, uint64}";

// Both kinds of variable share everything but how they are named in the signature.
struct Kind {
  bool resource;
  std::string name(const std::string& op) const { return (resource ? "Resource" : "") + op; }
  std::string variable(const std::string& arg) const { return arg + (resource ? ": resource" : ": Ref(T)"); }
};

OpBuilder finish(OpBuilder op, Kind kind, bool nesterov) {
  if (!kind.resource) op.out("out: Ref(T)");
  op.attr(kTypes).attr("use_locking: bool = false");
  if (nesterov) op.attr("use_nesterov: bool = false");
  if (kind.resource) op.stateful();
  return op;
}

// The variable is input 0, `slots` inputs follow; the gradient and all of them have one shape, the rest are scalars.
ShapeFunction update_shape(int slots, int gradient) {
  return [=](ShapeContext& c) {
    Shape s = c.input(0);
    for (int i = 1; i <= slots + 1; ++i) {
      const int input = i <= slots ? i : gradient;
      if (!s.compatible(c.input(input)))
        c.fail("var and " + std::string(i <= slots ? "its slots" : "grad") + " do not have the same shape: " + s.str() +
               " " + c.input(input).str());
      s = s.merged(c.input(input));
    }
    for (int i = slots + 1; i < c.num_inputs(); ++i)
      if (i != gradient && c.input(i).has_rank() && c.input(i).rank() != 0)
        c.fail("input " + std::to_string(i) + " is not a scalar: " + c.input(i).str());
    if (c.node().num_outputs() > 0) c.set_output(0, s);
  };
}

double number(const KernelRun& r, int input, DType dtype) {
  return dtype == DType::Double ? *r.input<double>(input) : static_cast<double>(*r.input<float>(input));
}

bool supported(DType dtype) { return dtype == DType::Float || dtype == DType::Double; }

void register_gradient_descent(OpRegistry& r, Kind kind) {
  finish(r.op(kind.name("ApplyGradientDescent")).in(kind.variable("var")).in("alpha: T").in("delta: T"), kind, false)
      .updates("var")
      .doc("var -= alpha * delta")
      .shape(update_shape(0, 2))
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const DType dtype = m.input_dtype(2);
        if (!supported(dtype)) return nullptr;
        const int64_t n = m.input_shape(2).num_elements();
        const int threads = m.threads();
        return kernel([=](KernelRun& run) {
          cpu::gradient_descent(dtype, run.variable_raw(0), run.input_raw(2), number(run, 1, dtype), n, threads);
        });
      })
      .no_grad();
}

void register_momentum(OpRegistry& r, Kind kind) {
  finish(r.op(kind.name("ApplyMomentum"))
             .in(kind.variable("var"))
             .in(kind.variable("accum"))
             .in("lr: T")
             .in("grad: T")
             .in("momentum: T"),
         kind, true)
      .updates("var")
      .updates("accum")
      .doc(
          "accum = accum * momentum + grad; var -= lr * accum; with use_nesterov var -= grad * lr + accum * momentum * "
          "lr")
      .shape(update_shape(1, 3))
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const DType dtype = m.input_dtype(3);
        if (!supported(dtype)) return nullptr;
        const int64_t n = m.input_shape(3).num_elements();
        const int threads = m.threads();
        const bool nesterov = m.attr<bool>("use_nesterov");
        return kernel([=](KernelRun& run) {
          cpu::momentum_update(dtype, run.variable_raw(0), run.variable_raw(1), run.input_raw(3), number(run, 2, dtype),
                               number(run, 4, dtype), nesterov, n, threads);
        });
      })
      .no_grad();
}

void register_adam(OpRegistry& r, Kind kind) {
  finish(r.op(kind.name("ApplyAdam"))
             .in(kind.variable("var"))
             .in(kind.variable("m"))
             .in(kind.variable("v"))
             .in("beta1_power: T")
             .in("beta2_power: T")
             .in("lr: T")
             .in("beta1: T")
             .in("beta2: T")
             .in("epsilon: T")
             .in("grad: T"),
         kind, true)
      .updates("var")
      .updates("m")
      .updates("v")
      .doc(
          "m += (grad - m) * (1 - beta1); v += (grad^2 - v) * (1 - beta2); var -= m * lr * sqrt(1 - beta2_power) / "
          "(1 - beta1_power) / (sqrt(v) + epsilon)")
      .shape(update_shape(2, 9))
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const DType dtype = m.input_dtype(9);
        if (!supported(dtype)) return nullptr;
        const int64_t n = m.input_shape(9).num_elements();
        const int threads = m.threads();
        const bool nesterov = m.attr<bool>("use_nesterov");
        return kernel([=](KernelRun& run) {
          cpu::Adam a{};
          a.beta1_power = number(run, 3, dtype);
          a.beta2_power = number(run, 4, dtype);
          a.rate = number(run, 5, dtype);
          a.beta1 = number(run, 6, dtype);
          a.beta2 = number(run, 7, dtype);
          a.epsilon = number(run, 8, dtype);
          a.nesterov = nesterov;
          cpu::adam_update(dtype, run.variable_raw(0), run.variable_raw(1), run.variable_raw(2), run.input_raw(9), a, n,
                           threads);
        });
      })
      .no_grad();
}

}  // namespace

void register_training_ops(OpRegistry& r) {
  for (const Kind kind : {Kind{false}, Kind{true}}) {
    register_gradient_descent(r, kind);
    register_momentum(r, kind);
    register_adam(r, kind);
  }
}

}  // namespace vf
