// Programs whose order TensorFlow leaves to chance (tests/golden/order_cases.md has what it gives) have one result
// here, under every legal order of planning, with delays, on any number of threads.
#include "plan/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <thread>

#include "runtime/session_state.h"
#include "varflow/gradients.h"
#include "varflow/operators.h"
#include "varflow/variables.h"

namespace vf {
namespace {

// Spins before steps, a random while each.
class Delays : public runtime::StepObserver {
 public:
  explicit Delays(uint64_t seed) : random_(seed) {}
  void before(const plan::Step&) override {
    volatile uint64_t spins = 0;
    for (uint64_t i = random_() % 2000; i > 0; --i) spins = i;
    static_cast<void>(spins);
  }
  void after(const plan::Segment&, const plan::Step&, void* const*) override {}

 private:
  std::mt19937_64 random_;
};

// A program: a graph, what one run fetches, and the variable that is read afterwards.
struct Program {
  Graph graph;
  Variable v;
  Fetches fetches;
};
using Build = std::function<void(Program&, bool resource)>;

std::string text(const std::vector<Tensor>& values) {
  std::string s;
  for (const Tensor& t : values) s += t.valid() ? t.str() + " " : "- ";
  return s;
}

// The results of one run and the variable's value after it, in a session of its own.
std::string run(Program& p, const runtime::PlanHooks& hooks) {
  Session session(p.graph, {.threads = 1});
  session.run({p.v.initializer()});
  SessionAccess::state(session).hooks = hooks;
  const std::string results = text(session.run(p.fetches));
  return results + "-> " + session.get(p.v.ref()).str();
}

std::set<std::string> results_under_all_orders(const Build& build, bool resource, bool rule) {
  Program p;
  build(p, resource);
  std::set<std::string> results;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Delays delays(seed);
    runtime::PlanHooks hooks{.shuffle = true, .seed = seed, .order_rule = rule};
    if (seed % 10 == 0) hooks.observer = &delays;
    results.insert(run(p, hooks));
  }
  return results;
}

void expect_one_result(const Build& build, const std::string& reference, const std::string& resource) {
  for (const bool is_resource : {false, true}) {
    const std::string& expected = is_resource ? resource : reference;
    EXPECT_THAT(results_under_all_orders(build, is_resource, true), ::testing::ElementsAre(expected));
    EXPECT_GT(results_under_all_orders(build, is_resource, false).size(), 1U) << "nobody would notice";
    std::vector<std::thread> threads;
    std::array<std::string, 8> results;
    Program p;
    build(p, is_resource);
    for (size_t t = 0; t < results.size(); ++t)
      threads.emplace_back([&, t] {
        Delays delays(t);
        runtime::PlanHooks hooks;
        hooks.observer = &delays;
        results[t] = run(p, hooks);
      });
    for (std::thread& t : threads) t.join();
    EXPECT_THAT(results, ::testing::Each(expected));
    Session session(p.graph);
    EXPECT_FALSE(session.hazards(p.fetches).empty());
  }
}

Variable make_variable(Program& p, const Tensor& value, bool resource) {
  return p.v = variable(p.graph, value, {.name = "v", .use_resource = resource});
}

// Two assigns behind one control dependency: 0 + 100, then 100 + 1.
TEST(Order, Issue3879) {
  expect_one_result(
      [](Program& p, bool resource) {
        const Variable v = make_variable(p, Tensor(0), resource);
        const Output first = assign(v, v + 100);
        const Output second = assign(v, v + 1);
        const ControlDependencies after(p.graph, {first, second});
        p.fetches = {constant(p.graph, Tensor(0)), first.node, second.node};
      },
      "[] int32 [0] - - -> [] int32 [101]", "[] int32 [0] - - -> [] int32 [101]");
}

// Two assigns behind nested control dependencies: the one that was made second stays.
TEST(Order, Issue14498) {
  expect_one_result(
      [](Program& p, bool resource) {
        const Variable v = make_variable(p, Tensor(0), resource);
        const Output first = assign(v, 1);
        const Output second = assign(v, 2);
        const ControlDependencies outer(p.graph, {second});
        const ControlDependencies inner(p.graph, {first});
        p.fetches = {NodeBuilder(p.graph, "NoOp").build()};
      },
      "- -> [] int32 [2]", "- -> [] int32 [2]");
}

// Two equal assigns of v * 2: none is lost. A fetched reference is taken after the run's writes, a resource's assign
// gives what its own read finds.
TEST(Order, Issue13174) {
  expect_one_result(
      [](Program& p, bool resource) {
        const Variable v = make_variable(p, Tensor(1), resource);
        const Output first = assign(v, v * 2);
        p.fetches = {first, assign(v, v * 2)};
      },
      "[] int32 [4] [] int32 [4] -> [] int32 [4]", "[] int32 [2] [] int32 [4] -> [] int32 [4]");
}

// An assign and a read without an edge: the read was made later.
TEST(Order, Issue38902) {
  expect_one_result(
      [](Program& p, bool resource) {
        const Variable v = make_variable(p, Tensor(1), resource);
        const Output write = assign(v, 5);
        p.fetches = {write.node, v + 1};
      },
      "- [] int32 [6] -> [] int32 [5]", "- [] int32 [6] -> [] int32 [5]");
}

// An assign that changes the shape, then x + 2 behind it: the new value in its new shape, whatever the order.
TEST(Order, Issue3886) {
  Program p;
  const Variable x = make_variable(p, Tensor(0.0F), false);
  const Output write = assign(x, Tensor::vector<float>({1}), {.validate_shape = false});
  const ControlDependencies after(p.graph, {write});
  p.fetches = {make("AddV2", {make("Identity", {x.ref()}), 2.0F})};
  for (uint64_t seed = 0; seed < 1000; ++seed)
    ASSERT_EQ(run(p, {.shuffle = true, .seed = seed}), "[1] float32 [3] -> [1] float32 [1]") << seed;
  Session session(p.graph);
  EXPECT_TRUE(session.hazards(p.fetches).empty());
}

// v = 3, y = v * v, assign 100 after y, then dy/dv and the value after the assign. TensorFlow gives 200 for the
// gradient of a reference, which its gradient node reads late.
TEST(Order, GradientsReadWhatTheForwardPassRead) {
  for (const bool resource : {false, true}) {
    Program p;
    const Variable v = make_variable(p, Tensor(3.0F), resource);
    const Output read = v.value();
    const Output y = make("Mul", {read, read});
    Output write;
    {
      const ControlDependencies after(p.graph, {y});
      write = assign(v, 100.0F);
    }
    const ControlDependencies after(p.graph, {write});
    const Output gradient = gradients({y}, {v.ref()})[0];
    const Output again = gradients({gradient}, {v.ref()})[0];
    p.fetches = {y, gradient, again, make("Identity", {v})};
    for (uint64_t seed = 0; seed < 100; ++seed)
      ASSERT_EQ(run(p, {.shuffle = true, .seed = seed}),
                "[] float32 [9] [] float32 [6] [] float32 [2] [] float32 [100] -> [] float32 [100]")
          << resource << seed;
  }
}

TEST(Order, HazardsNameBothNodes) {
  Graph graph;
  const Variable v = variable(graph, Tensor(1), {.name = "v"});
  const Output write = assign(v, 5, {.name = "write"});
  const Output read = make("AddV2", {v, 1}, {}, "read");
  Session session(graph);
  const std::vector<Hazard> hazards = session.hazards({write.node, read});
  std::string pairs;
  for (const Hazard& h : hazards) pairs += h.first + " " + h.second + "; ";
  ASSERT_EQ(pairs, "write read; ");
  EXPECT_EQ(hazards[0].variable, "v");
  EXPECT_EQ(hazards[0].first, "write");
  EXPECT_EQ(hazards[0].second, "read");
  EXPECT_TRUE(hazards[0].first_writes);
  EXPECT_FALSE(hazards[0].second_writes);
}

// A control edge that is added later changes the graph's order; one that closes a cycle is refused.
TEST(Order, FollowsLateControlEdges) {
  Graph graph;
  const Variable v = variable(graph, Tensor(1), {.name = "v"});
  const Output first = assign(v, 2);
  const Output second = assign(v, 3);
  Session session(graph);
  session.run({v.initializer()});
  session.run({first.node, second.node});
  EXPECT_EQ(session.get(v.ref()).item<int32_t>(), 3);
  graph.add_control_input(first.node, second.node);
  EXPECT_THROW(graph.add_control_input(second.node, first.node), Error);
  Session later(graph);
  later.run({v.initializer()});
  later.run({first.node, second.node});
  EXPECT_EQ(later.get(v.ref()).item<int32_t>(), 2);
}

}  // namespace
}  // namespace vf
