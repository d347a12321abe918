// A program with an op of its own: registered, used in a graph, differentiated, and compared with mathematics.
#include <varflow/varflow.h>

#include <cmath>
#include <cstdio>

namespace {

void register_swish(vf::OpRegistry& registry) {
  registry.op("VfExampleSwish")
      .in("features: T")  // TensorFlow's mini-language
      .out("activations: T")
      .attr("T: {float, double}")
      .attr("beta: float = 1.0")
      .doc("features * sigmoid(beta * features)")
      .shape([](vf::ShapeContext& c) { c.set_output(0, c.input(0)); })  // concrete and partly unknown shapes
      .cpu([](vf::KernelMake& m) -> std::unique_ptr<vf::Kernel> {       // make: once a plan, with concrete shapes
        if (m.output_dtype() != vf::DType::Float) return nullptr;       // declines: no kernel for this dtype
        m.allow_in_place(0);                                            // the result may take the input's memory
        const int64_t n = m.output_shape().num_elements();
        const float beta = m.attr<float>("beta");
        return vf::kernel([n, beta](vf::KernelRun& run) {  // run: only computes
          for (int64_t i = 0; i < n; ++i) {
            const float x = run.input<float>(0)[i];
            run.output<float>()[i] = x / (1 + std::exp(-beta * x));
          }
        });
      })
      .grad([](vf::GradientContext& g) {  // s + beta * y * (1 - s), where s = sigmoid(beta * x)
        const float beta = g.node().attr<float>("beta");
        const vf::Output s = g.make("Sigmoid", {g.make("Mul", {g.input(0), beta})});
        const vf::Output rest = g.make("Mul", {g.make("Mul", {g.output(), beta}), g.make("Sub", {1.0F, s})});
        g.set(0, g.make("Mul", {g.gradient(), g.make("Add", {s, rest})}));
      })
      .example({.inputs = {{2, 3}}});
}

vf::Output swish(const vf::Operand& features, float beta) {
  return vf::make("VfExampleSwish", {features}, {{"beta", beta}}, "swish");
}

// Fails loudly: a number that is wrong is the program's exit status.
int failures = 0;
void expect_near(const char* what, double got, double want) {
  if (std::abs(got - want) <= 1e-5 * (1 + std::abs(want))) return;
  std::printf("%s is %.9g, not %.9g\n", what, got, want);
  ++failures;
}

}  // namespace

int main() {
  vf::OpRegistry registry = vf::OpRegistry::with_standard_ops();
  register_swish(registry);
  vf::Graph graph(registry);

  const float beta = 1.5F;
  const vf::Tensor start = vf::Tensor::vector<float>({-2, -0.5F, 0, 1, 3});
  const vf::Variable v = vf::variable(graph, start, {.name = "v"});
  const vf::Output y = swish(v, beta);
  const vf::Output dy = vf::gradients({y}, {v})[0];
  const vf::Output descend = vf::assign_sub(v, dy * 0.1F);

  vf::Session session(graph);
  session.run(vf::global_variables_initializer(graph));
  const auto out = session.run({y, dy});
  session.run(descend);
  const vf::Tensor after = session.get(v);
  for (int i = 0; i < 5; ++i) {
    const double x = start.data<float>()[i];
    const double s = 1 / (1 + std::exp(-beta * x));
    const double slope = s + beta * x * s * (1 - s);
    expect_near("swish", out[0].data<float>()[i], x * s);
    expect_near("its gradient", out[1].data<float>()[i], slope);
    expect_near("the variable after a step", after.data<float>()[i], x - 0.1 * slope);
  }
  if (y.shape() != vf::Shape{5}) ++failures;
  try {
    static_cast<void>(vf::make("VfExampleSwish", {graph.output("v:0")}, {{"gamma", 1.0F}}));
    ++failures;
  } catch (const vf::Error& error) {
    if (error.code() != vf::Code::InvalidArgument) ++failures;
  }
  return failures == 0 ? 0 : 1;
}
