// What a plan takes from the graph, and what it says where it cannot.
#include "plan/program.h"

#include <gtest/gtest.h>

#include "varflow/gradients.h"
#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

// A control edge from a placeholder asks for the feed, not for the op that complains about a missing one.
TEST(Program, AFeedStandsForAPlaceholdersControlEdges) {
  Graph graph;
  const Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}});
  const ControlDependencies after(graph, {x});
  const Output one = make(graph, "Const", {}, {{"dtype", DType::Float}, {"value", Tensor(1.0F)}});
  Session session(graph);
  EXPECT_EQ(session.run(one, {{x, Tensor(2.0F)}}).item<float>(), 1);
  EXPECT_THROW(session.run(one), Error);
}

// The sum of a scalar over no axis: its gradient divides no integers.
TEST(Program, DifferentiatesTheSumOfAScalar) {
  Graph graph;
  const Variable v = variable(graph, Tensor(3.0F));
  const Output sum = make("Sum", {v, Tensor(DType::Int32, {0})});
  Session session(graph);
  session.run(v.initializer());
  EXPECT_EQ(session.run(gradients({sum}, {v.ref()})[0]).item<float>(), 1);
}

TEST(Program, NamesTheNodeThatFailsWhileThePlanIsMade) {
  Graph graph;
  const auto number = [&](int n) { return make(graph, "Const", {}, {{"dtype", DType::Int32}, {"value", Tensor(n)}}); };
  const Output quotient = make("FloorDiv", {number(1), number(0)}, {}, "quotient");
  Session session(graph);
  try {
    session.run(quotient);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "[FloorDiv quotient] Integer division by zero");
  }
}

}  // namespace
}  // namespace vf
