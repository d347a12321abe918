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

// As in TensorFlow: the static shape is the declared one, so that what is fed may have another size than the default.
TEST(Program, APlaceholderWithADefaultTakesWhatItDeclares) {
  Graph graph;
  const Tensor two = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Output batch = make(graph, "PlaceholderWithDefault", {two}, {{"shape", Shape{-1, 3}}});
  const Output any = make(graph, "PlaceholderWithDefault", {two}, {{"shape", Shape::unknown()}});
  EXPECT_EQ(batch.shape(), Shape({-1, 3}));
  EXPECT_FALSE(any.shape().has_rank());
  const Output sums = make("Sum", {batch, Tensor::vector<int32_t>({0})});
  const Output flat = make("Reshape", {make("Add", {any, any}), Tensor::vector<int32_t>({-1})});
  EXPECT_EQ(sums.shape(), Shape({3}));
  Session session(graph);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(session.run(sums).values<float>()[2], 9);
    EXPECT_EQ(session.run(flat).values<float>()[5], 12);
    const Tensor four = Tensor::of<float>({4, 3}, {0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1});
    EXPECT_EQ(session.run(sums, {{batch, four}}).values<float>()[2], 4);
    EXPECT_EQ(session.run(flat, {{any, Tensor(2.0F)}}).values<float>()[0], 4);
  }
  EXPECT_THROW(session.run(sums, {{batch, Tensor::of<float>({1, 2}, {1, 2})}}), Error);
  EXPECT_THROW(make(graph, "PlaceholderWithDefault", {two}, {{"shape", Shape{3, 3}}}), Error);
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
