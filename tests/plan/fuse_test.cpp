// Chains of elementwise steps as one: the same bits as node by node, and variables updated in place.
#include "plan/fuse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "plan/program.h"
#include "plan/specialise.h"
#include "runtime/session_state.h"
#include "varflow/varflow.h"

namespace vf {
namespace {

// Steps of a plan for these fetches, where variables have their declared shapes.
size_t num_steps(const std::vector<Output>& fetches, const std::vector<Node*>& targets, bool fuse) {
  const plan::Program program = plan::make_program({.fetches = fetches, .feeds = {}, .targets = targets});
  plan::Conditions conditions;
  for (const Node* v : program.variables) conditions.variable_shapes.push_back(v->attr<Shape>("shape"));
  conditions.fuse = fuse;
  return plan::specialise(program, conditions)->steps.size();
}

class FuseTest : public testing::Test {
 protected:
  Variable variable(const std::string& name, const Shape& shape, float start) {
    return get_variable(graph, name, shape, {.initializer = constant_initializer(start)});
  }
  // A session with its variables initialized.
  std::unique_ptr<Session> session(bool fuse = true) {
    auto s = std::make_unique<Session>(graph, SessionOptions{.threads = 2});
    SessionAccess::state(*s).hooks.fuse = fuse;
    s->run({global_variables_initializer(graph)});
    return s;
  }
  Graph graph;
};

TEST_F(FuseTest, AChainIsOneStep) {
  const Variable v = variable("v", {5, 7}, 2);
  const Output y = make("Tanh", {v * 0.5F + 1.0F});
  EXPECT_EQ(num_steps({y}, {}, false), 4);  // the read and three nodes
  EXPECT_EQ(num_steps({y}, {}, true), 2);
  EXPECT_EQ(session()->run(y).values<float>()[34], std::tanh(2.0F));
}

TEST_F(FuseTest, ScalingAVariableIsOneStepInPlace) {
  const Variable v = variable("v", {100'000}, 2);
  const Output decay = assign(v, v * 0.5F);
  EXPECT_EQ(num_steps({}, {decay.node}, false), 3);
  EXPECT_EQ(num_steps({}, {decay.node}, true), 1);
  const auto s = session();
  const void* const before = s->view(v).raw();
  s->run({decay.node});
  EXPECT_EQ(s->view(v).raw(), before);
  EXPECT_EQ(s->get(v).values<float>()[99'999], 1);
  const Tensor held = s->view(v);
  s->run({decay.node});
  EXPECT_EQ(held.values<float>()[99'999], 1);
  EXPECT_EQ(s->get(v).values<float>()[99'999], 0.5F);
}

TEST_F(FuseTest, AnUninitializedVariableIsNamed) {
  const Variable v = variable("v", {3}, 2);
  const Output decay = assign(v, v * 0.5F);
  Session s(graph);
  try {
    s.run({decay.node});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::FailedPrecondition);
    EXPECT_NE(std::string(e.what()).find("Attempting to use uninitialized value v"), std::string::npos) << e.what();
  }
}

// What was read before a write stays what it was, though the step that needs it comes after the write.
TEST_F(FuseTest, KeepsReadsBeforeWrites) {
  const Variable v = variable("v", {3}, 1);
  const Variable w = variable("w", {3}, 0);
  const Output twice = v * 2.0F;
  const Output first = assign_add(v, make("Identity", {v * 9.0F}));
  const Output second = assign(w, twice + 1.0F);
  const Output third = assign(v, v * v + twice);
  const auto s = session();
  s->run({first.node, second.node, third.node});
  EXPECT_EQ(s->get(w).values<float>()[2], 3);
  EXPECT_EQ(s->get(v).values<float>()[2], 102);
}

// A gradient node reads what its forward node read, which a write may have replaced since, or others may need.
TEST_F(FuseTest, KeepsTheReadsOfForwardNodes) {
  const Variable v = variable("v", {3}, 3);
  const Output y = make("Square", {v});
  const Output between = assign_add(v, make("Identity", {v}));
  const Output last = assign(v, gradients({y}, {v})[0] * 0.5F);
  const auto s = session();
  s->run({between.node, last.node});
  EXPECT_EQ(s->get(v).values<float>()[2], 3);
  s->run({global_variables_initializer(graph)});
  EXPECT_EQ(s->run({y, last.node})[0].values<float>()[2], 9);
  EXPECT_EQ(s->get(v).values<float>()[2], 3);
}

TEST_F(FuseTest, AFetchedPartIsStillThere) {
  const Variable v = variable("v", {3}, 3);
  const Output half = v * 0.5F;
  const Output all = assign(v, half + v);
  const std::vector<Tensor> out = session()->run({half, all});
  EXPECT_EQ(out[0].values<float>()[1], 1.5F);
  EXPECT_EQ(out[1].values<float>()[1], 4.5F);
}

TEST_F(FuseTest, SeesEachNodeWhereSomebodyLooks) {
  const Variable v = variable("v", {3}, 0);
  const Output y = make("Neg", {make("Log", {v * 2.0F})});
  Session s(graph, {.find_nan = true});
  s.run({global_variables_initializer(graph)});
  try {
    s.run(y);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("Log"), std::string::npos) << e.what();
  }
}

// Random graphs of elementwise ops, with reads and writes of variables among them: all bits equal those of plans of
// single nodes, on tensors of one element up to several tiles for each of two threads.
class RandomFuseTest : public FuseTest, public testing::WithParamInterface<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, RandomFuseTest, testing::Values(1, 5, 1000, 70'001));

TEST_P(RandomFuseTest, HasTheBitsOfSingleNodes) {
  const int64_t n = GetParam();
  const int programs = n > 10'000 ? 20 : 100;
  constexpr const char* kUnary[] = {"Neg", "Tanh", "Abs", "Square", "Sigmoid", "Exp", "Relu", "Sqrt"};
  constexpr const char* kBinary[] = {"AddV2", "Mul", "Sub", "Maximum", "RealDiv", "SquaredDifference"};
  for (int program = 0; program < programs; ++program) {
    SCOPED_TRACE("program " + std::to_string(program));
    std::mt19937 random(static_cast<unsigned>(program));
    const auto below = [&](size_t count) { return static_cast<size_t>(random() % count); };
    Graph g;
    std::vector<Variable> variables;
    for (int i = 0; i < 3; ++i)
      variables.push_back(
          get_variable(g, "v" + std::to_string(i), {n}, {.initializer = random_normal_initializer({.seed = i + 1})}));
    const Variable scalar = get_variable(g, "scalar", {}, {.initializer = constant_initializer(0.75F)});
    const Output x = placeholder(g, DType::Float, {n});
    std::vector<Output> values = {x};
    std::vector<Fetch> fetches;
    const auto pick = [&]() -> Output {
      const size_t i = below(values.size() + 4);
      if (i < values.size()) return values[values.size() - 1 - i];  // late ones often: chains
      return i == values.size() + 3 ? Output(scalar) : Output(variables[i - values.size()]);
    };
    for (int i = 0; i < 25; ++i) {
      const size_t kind = below(10);
      if (kind < 4) {
        values.push_back(make(kUnary[below(std::size(kUnary))], {pick()}));
      } else if (kind < 8) {
        values.push_back(make(kBinary[below(std::size(kBinary))], {pick(), values[below(values.size())]}));
      } else if (values.back().shape() == Shape{n}) {
        const Variable& v = variables[below(variables.size())];
        fetches.emplace_back((kind == 8 ? assign(v, values.back()) : assign_add(v, values.back())).node);
      }
      if (below(6) == 0) fetches.emplace_back(values.back());
    }
    fetches.emplace_back(values.back());
    for (const Variable& v : variables) fetches.emplace_back(v);
    Tensor fed(DType::Float, {n});
    for (int64_t i = 0; i < n; ++i) fed.data<float>()[i] = std::sin(static_cast<float>(i));
    std::vector<std::vector<Tensor>> results;
    for (const bool fuse : {false, true}) {
      Session s(g, {.threads = 2});
      SessionAccess::state(s).hooks.fuse = fuse;
      s.run({global_variables_initializer(g)});
      s.run(fetches, {{x, fed}});
      results.push_back(s.run(fetches, {{x, fed}}));
    }
    for (size_t f = 0; f < fetches.size(); ++f) {
      if (!results[0][f].valid()) continue;
      ASSERT_EQ(std::memcmp(results[0][f].raw(), results[1][f].raw(), results[0][f].bytes()), 0) << "fetch " << f;
    }
  }
}

}  // namespace
}  // namespace vf
