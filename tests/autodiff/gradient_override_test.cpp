// Which gradient a node gets: the one that an override named, its own, its op's. Values are those of TensorFlow 2.21.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "varflow/gradients.h"
#include "varflow/op.h"
#include "varflow/session.h"

namespace vf {
namespace {

// Standard ops, and gradients that tell themselves apart by a factor.
const OpRegistry& registry() {
  static const OpRegistry r = [] {
    OpRegistry own = OpRegistry::with_standard_ops();
    for (const auto& [name, factor] : {std::pair("Seven", 7.0F), std::pair("Nine", 9.0F)})
      own.gradient(name, [factor = factor](GradientContext& g) { g.set(0, g.make("Mul", {g.gradient(), factor})); });
    own.gradient("GuidedRelu", [](GradientContext& g) {
      const Output dy = g.gradient();
      const Output guided = g.make("ReluGrad", {dy, g.input(0)});
      g.set(0, g.make("ReluGrad", {guided, dy}));
    });
    own.gradient("TooMany", [](GradientContext& g) {
      g.set(0, g.gradient());
      g.set(1, g.gradient());
    });
    return own;
  }();
  return r;
}

Output placeholder(Graph& g) { return make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{3}}}); }

std::vector<float> slope(const Output& y, const Output& x, const std::vector<float>& at) {
  const Output d = gradients({y}, {x})[0];
  Session session(x.graph());
  Tensor fed(DType::Float, {3});
  std::copy(at.begin(), at.end(), fed.data<float>());
  const Tensor value = session.run(d, {{x, fed}});
  return {value.data<float>(), value.data<float>() + value.num_elements()};
}

std::string named(const Output& o) {
  const AttrValue* v = o.node->attrs().find("_gradient_op_type");
  return v ? *v->get<std::string>() : "";
}

TEST(GradientOverride, TakesTheNamedGradient) {
  Graph g(registry());
  const Output x = placeholder(g);
  const Output w = make(g, "Const", {}, {{"dtype", DType::Float}, {"value", Tensor::vector<float>({3, -2, 5})}});
  Output guided;
  {
    const GradientOverride guard(g, {{"Relu", "GuidedRelu"}});
    guided = make("Relu", {x});
  }
  const Output plain = make("Relu", {x});
  EXPECT_EQ(named(guided), "GuidedRelu");
  EXPECT_EQ(named(plain), "");
  EXPECT_EQ(slope(make("Mul", {guided, w}), x, {1, 2, -1}), std::vector<float>({3, 0, 0}));
  EXPECT_EQ(slope(make("Mul", {plain, w}), x, {1, 2, -1}), std::vector<float>({3, -2, 0}));
}

TEST(GradientOverride, InnerGuardsWinByType) {
  Graph g(registry());
  const Output x = placeholder(g);
  const GradientOverride outer(g, {{"Relu", "Seven"}, {"Tanh", "Nine"}});
  Output inner_relu;
  Output inner_tanh;
  {
    const GradientOverride inner(g, {{"Relu", "Nine"}});
    inner_relu = make("Relu", {x});
    inner_tanh = make("Tanh", {x});
  }
  EXPECT_EQ(named(inner_relu), "Nine");
  EXPECT_EQ(named(inner_tanh), "Nine");
  EXPECT_EQ(named(make("Relu", {x})), "Seven");
  EXPECT_EQ(named(make("Identity", {x})), "");
}

TEST(GradientOverride, HoldsOnItsThreadAndGraphOnly) {
  Graph g(registry());
  Graph other(registry());
  const Output x = placeholder(g);
  const GradientOverride guard(g, {{"Relu", "Seven"}});
  Output elsewhere;
  std::thread([&] { elsewhere = make("Relu", {x}); }).join();
  EXPECT_EQ(named(elsewhere), "");
  EXPECT_EQ(named(make("Relu", {placeholder(other)})), "");
}

TEST(GradientOverride, GivesAnOpOneThatHasNone) {
  Graph g(registry());
  const Output x = placeholder(g);
  EXPECT_EQ(gradients({make("Floor", {x})}, {x})[0].node, nullptr);
  const GradientOverride guard(g, {{"Floor", "Seven"}});
  EXPECT_EQ(slope(make("Floor", {x}), x, {1, 2, 3}), std::vector<float>({7, 7, 7}));
}

TEST(GradientOverride, UnknownNameIsAnErrorInTheWordsOfTheGraphsLevel) {
  for (const Level level : {Level::TF2_21, Level::TF1_15}) {
    Graph g(registry(), level);
    const Output x = placeholder(g);
    const GradientOverride guard(g, {{"Relu", "Guided"}});
    const Output y = make("Relu", {x}, {}, "r");  // making it is fine; only its gradient is not
    try {
      gradients({y}, {x});
      FAIL() << "no error";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::NotFound);
      const std::string text = level == Level::TF2_21 ? "No gradient defined for operation'r' (op type: Relu)"
                                                      : "No gradient defined for operation 'r' (op type: Relu)";
      EXPECT_EQ(std::string(e.what()).substr(0, text.size()), text);
      EXPECT_NE(std::string(e.what()).find("'Guided'"), std::string::npos) << e.what();
    }
  }
}

TEST(GradientOverride, OfTooManyInputsIsRefused) {
  Graph g(registry());
  const Output x = placeholder(g);
  const GradientOverride guard(g, {{"Relu", "TooMany"}});
  const Output y = make("Relu", {x}, {}, "r");
  EXPECT_THROW(gradients({y}, {x}), Error);
}

TEST(CustomGradient, StandsBetweenOverrideAndOp) {
  Graph g(registry());
  const Output x = placeholder(g);
  const GradientFunction* nine = registry().find_gradient("Nine");
  const Output own = make("Relu", {x});
  g.set_gradient(own.node, *nine);
  EXPECT_EQ(slope(own, x, {1, -2, 3}), std::vector<float>({9, 9, 9}));
  const GradientOverride guard(g, {{"Relu", "Seven"}});
  const Output both = make("Relu", {x});
  g.set_gradient(both.node, *nine);
  EXPECT_EQ(slope(both, x, {1, -2, 3}), std::vector<float>({7, 7, 7}));
  EXPECT_THROW(g.set_gradient(both.node, *nine), Error);
}

// tf.custom_gradient's own example: log(1 + exp(x)) with a gradient that does not overflow. At 0 the first and second
// derivative are 1/2 and 1/4.
TEST(CustomGradient, OfAPieceOfAGraph) {
  Graph g(registry());
  const Output x = placeholder(g);
  const Output e = make("Exp", {x});
  const Output y = custom_gradient({make("Log1p", {e})}, {x}, [&](const std::vector<Output>& dy) {
    const Output slope_of_x = make("Sub", {1.0F, make("RealDiv", {1.0F, make("Add", {e, 1.0F})})});
    return std::vector<Output>{make("Mul", {dy[0], slope_of_x})};
  })[0];
  const Output d = gradients({y}, {x})[0];
  const Output d2 = gradients({d}, {x})[0];
  Session session(g);
  const auto out = session.run({y, d, d2}, {{x, Tensor::vector<float>({100, 0, -3})}});
  EXPECT_EQ(out[1].data<float>()[0], 1);
  EXPECT_FLOAT_EQ(out[1].data<float>()[1], 0.5F);
  EXPECT_FLOAT_EQ(out[1].data<float>()[2], 0.04742587F);
  EXPECT_FLOAT_EQ(out[2].data<float>()[1], 0.25F);
  EXPECT_NEAR(out[0].data<float>()[1], std::log(2), 1e-6);
}

TEST(CustomGradient, MustReturnOneForEachInput) {
  Graph g(registry());
  const Output x = placeholder(g);
  const auto twice = [](const std::vector<Output>& dy) { return std::vector<Output>{dy[0], dy[0]}; };
  const Output y = custom_gradient({make("Relu", {x})}, {x}, twice)[0];
  EXPECT_THROW(gradients({y}, {x}), Error);
}

}  // namespace
}  // namespace vf
