// A block is one access to all that its bodies touch, at the place where it was made; inside, effects happen in the
// order of the body, once for each turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "plan/control_flow_programs.h"
#include "runtime/session_state.h"

namespace vf {
namespace {

using namespace control_flow;  // NOLINT: the words of the programs

struct Program {
  Graph graph;
  Output v = handle(graph, "v", Shape{});
  Fetches fetches;
};

std::string run(Program& p, const runtime::PlanHooks& hooks) {
  Session session(p.graph, {.threads = 1});
  session.set({{p.v, Tensor(1.0F)}});
  SessionAccess::state(session).hooks = hooks;
  std::string text;
  for (const Tensor& t : session.run(p.fetches))
    if (t.valid()) text += t.str() + " ";
  return text + "-> " + session.get(p.v).str();
}

// What 500 legal orders of planning give.
std::set<std::string> results(Program& p, bool rule) {
  std::set<std::string> all;
  for (uint64_t seed = 0; seed < 500; ++seed) all.insert(run(p, {.shuffle = true, .seed = seed, .order_rule = rule}));
  return all;
}

void expect_one(Program& p, const std::string& expected) {
  EXPECT_EQ(run(p, {}), expected);
  EXPECT_THAT(results(p, true), ::testing::ElementsAre(expected));
  EXPECT_GT(results(p, false).size(), 1U) << "nobody would notice";
}

// A read, an assign, a loop that adds 1 three times, a read, a doubling, a read: no edges.
TEST(ControlFlowOrder, AroundALoop) {
  Program p;
  const Output before = make("AddV2", {read(p.v), 0.5F});
  Node* const first = make_assign(p.v, 5.0F);
  const Outputs loop = turns(p.graph, "loop", 3, {p.v}, [](Graph&, const Outputs& a) -> Outputs {
    add(a[1], 1.0F);
    return {a[1]};
  });
  const Output between = make("AddV2", {read(p.v), 0.25F});
  Node* const last = make_assign(p.v, make("Mul", {read(p.v), 2.0F}));
  const Output after = make("AddV2", {read(p.v), 0.5F});
  p.fetches = {before, Fetch(first), loop[0], between, Fetch(last), after};
  expect_one(p, "[] float32 [1.5] [] int32 [3] [] float32 [8.25] [] float32 [16.5] -> [] float32 [16]");
}

// A branch that reads between two writes.
TEST(ControlFlowOrder, AroundABranchThatReads) {
  Program p;
  const FunctionBody body = [](Graph&, const Outputs& a) -> Outputs { return {make("Mul", {read(a[0]), 2.0F})}; };
  const Function& yes = p.graph.add_function("yes", {{DType::Resource}}, body);
  const Function& no = p.graph.add_function("no", {{DType::Resource}}, body);
  Node* const first = make_assign(p.v, 5.0F);
  const Output twice = if_op(constant_of(p.graph, Tensor(true)), {p.v}, yes, no)[0];
  Node* const last = make_assign(p.v, 7.0F);
  p.fetches = {Fetch(first), twice, Fetch(last)};
  expect_one(p, "[] float32 [10] -> [] float32 [7]");
}

// Two assigns of one body that no edge orders, two blocks deep.
TEST(ControlFlowOrder, InsideABody) {
  Program p;
  const FunctionBody body = [](Graph& g, const Outputs& a) -> Outputs {
    make_assign(a[0], make("Mul", {read(a[0]), 2.0F}));
    add(a[0], 1.0F);
    return {constant_of(g, Tensor(1.0F))};
  };
  const Function& yes = p.graph.add_function("yes", {{DType::Resource}}, body);
  const Function& no = p.graph.add_function("no", {{DType::Resource}}, body);
  const Outputs loop = turns(p.graph, "loop", 3, {p.v}, [&](Graph& g, const Outputs& a) -> Outputs {
    if_op(constant_of(g, Tensor(true)), {a[1]}, yes, no);
    make_assign(a[1], make("Mul", {read(a[1]), 3.0F}));
    return {a[1]};
  });
  p.fetches = {loop[0]};
  // x -> 3 (2 x + 1): 9, 57, 345.
  expect_one(p, "[] int32 [3] -> [] float32 [345]");
}

// One variable through two arguments of one body is one variable.
TEST(ControlFlowOrder, OneVariableTwice) {
  Program p;
  const Outputs loop = turns(p.graph, "loop", 2, {p.v, p.v}, [](Graph&, const Outputs& a) -> Outputs {
    make_assign(a[1], make("Mul", {read(a[2]), 2.0F}));
    add(a[2], 1.0F);
    return {a[1], a[2]};
  });
  p.fetches = {loop[0]};
  expect_one(p, "[] int32 [2] -> [] float32 [7]");
}

TEST(ControlFlowOrder, HazardsNameWhatIsTouchedInside) {
  Program p;
  Node* const first = make_assign(p.v, 5.0F, "first");
  const Outputs loop = turns(p.graph, "loop", 3, {p.v}, [](Graph&, const Outputs& a) -> Outputs {
    add(a[1], 1.0F, "inside");
    make_assign(a[1], 2.0F, "again");
    return {a[1]};
  });
  Session session(p.graph);
  std::string pairs;
  for (const Hazard& h : session.hazards({Fetch(first), loop[0]}))
    pairs += h.variable + ": " + h.first + (h.first_writes ? " writes, " : " reads, ") + h.second +
             (h.second_writes ? " writes; " : " reads; ");
  EXPECT_EQ(pairs, "v: first writes, loop writes; v: inside writes, again writes; ");
}

}  // namespace
}  // namespace vf
