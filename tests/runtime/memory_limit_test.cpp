// SessionOptions::memory_limit: what does not fit fails by name, and nothing has changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "varflow/session.h"

namespace vf {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kThousand = 1000;  // floats: 4,000 bytes

Tensor filled(int64_t n, float value) {
  Tensor t(DType::Float, {n});
  std::fill_n(t.data<float>(), n, value);
  return t;
}

Output variable(Graph& g, const std::string& name, const Shape& shape) {
  return make(g, "VariableV2", {}, {{"dtype", DType::Float}, {"shape", shape}}, name);
}

// The message of the failure.
std::string exhausted(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::ResourceExhausted) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "it fitted";
  return "";
}

class MemoryLimit : public ::testing::Test {
 protected:
  Graph graph_;
  const Output first_ = variable(graph_, "first", {kThousand});
  const Output second_ = variable(graph_, "second", {kThousand});
};

TEST_F(MemoryLimit, AVariableThatDoesNotFitStaysAsItWas) {
  const Output ones = make("Assign", {first_, filled(kThousand, 1)});
  const Output twos = make("Assign", {second_, filled(kThousand, 2)}, {}, "twos");
  Session session(graph_, {.memory_limit = 7999});
  session.run(ones.node);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(
        exhausted([&] { session.run(twos.node); }),
        AllOf(HasSubstr("[Assign twos]"), HasSubstr("the variable second needs 4000 bytes"), HasSubstr("7999")));
    EXPECT_THROW(session.get(second_), Error) << "it has a value";
    EXPECT_EQ(session.get(first_).values<float>()[999], 1);
  }
  session.run(ones.node);  // what has its place is written again
  Session larger(graph_, {.memory_limit = 8000});
  larger.run(ones.node);
  larger.run(twos.node);
  EXPECT_EQ(larger.get(second_).values<float>()[999], 2);
}

TEST_F(MemoryLimit, DirectWritesAreAllOrNothing) {
  Session session(graph_, {.memory_limit = 7999});
  const auto both = [&] { session.set({{first_, filled(kThousand, 5)}, {second_, filled(kThousand, 5)}}); };
  for (int round = 0; round < 3; ++round) EXPECT_THAT(exhausted(both), HasSubstr("needs 4000 bytes"));
  EXPECT_THROW(session.get(first_), Error);
  EXPECT_THROW(session.get(second_), Error);
  session.set({{first_, filled(kThousand, 1)}});  // nothing is taken by those that failed
  EXPECT_THAT(exhausted(both), HasSubstr("the variable second needs 4000 bytes"));
  EXPECT_EQ(session.get(first_).values<float>()[0], 1);
}

// What a variable gives up, others may take.
TEST_F(MemoryLimit, CountsTheValuesThatThereAre) {
  const Output any = variable(graph_, "any", Shape::unknown());
  const auto resized = [&](int64_t n) { return make("Assign", {any, filled(n, 3)}, {{"validate_shape", false}}).node; };
  Node* const large = resized(2 * kThousand);
  Node* const small = resized(10);
  Session session(graph_, {.memory_limit = 8100});
  for (int round = 0; round < 3; ++round) {
    session.run(large);
    EXPECT_EQ(session.get(any).num_elements(), 2000);
    if (round == 0) exhausted([&] { session.set({{first_, filled(kThousand, 1)}}); });
    session.run(small);
    if (round == 2) session.set({{first_, filled(kThousand, 1)}});
  }
  exhausted([&] { session.run(large); });
  EXPECT_EQ(session.get(any).num_elements(), 10);
}

// A run's own memory, once for each shape: 4 bytes an element.
TEST_F(MemoryLimit, ARunThatDoesNotFitNamesItsLargestOp) {
  const Output x = make(graph_, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{-1}}});
  const Output sum = make("Sum", {make("Exp", {x}, {}, "widest"), Tensor::vector<int32_t>({0})});
  const Output count = make("AssignAdd", {first_, filled(kThousand, 1)});
  Session session(graph_, {.threads = 1, .memory_limit = 1 << 20});
  session.set({{first_, filled(kThousand, 0)}});
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(exhausted([&] {
                  session.run({sum, count.node}, {{x, filled(1 << 20, 0)}});
                }),
                AllOf(HasSubstr("[Exp widest]"), HasSubstr("bytes")));
    EXPECT_EQ(session.get(first_).values<float>()[0], static_cast<float>(round)) << "a write of a run that failed";
    // Memory that other shapes left idle makes room: each of these takes more than half.
    for (const int64_t n : {150'000, 160'000, 170'000})
      EXPECT_EQ(session.run(sum, {{x, filled(n, 0)}}).item<float>(), static_cast<float>(n));
    session.run(count.node);
  }
}

// Without a limit: what no machine has, inside of a run and as its result, is an error of the op too.
TEST_F(MemoryLimit, WhatNobodyHasIsAnErrorToo) {
  const Output n = make(graph_, "Placeholder", {}, {{"dtype", DType::Int64}, {"shape", Shape{2}}});
  const Output huge = make("Fill", {n, 1.0F}, {}, "huge");
  const Output sum = make("Sum", {make("MatMul", {huge, huge}, {}, "product"), Tensor::vector<int32_t>({0, 1})});
  Session session(graph_);
  for (const int64_t size : {int64_t{1} << 22, int64_t{1} << 23, int64_t{1} << 31}) {  // 2^46, 2^48, 2^64 bytes
    const Feeds feeds{{n, Tensor::vector<int64_t>({size, size})}};
    EXPECT_THAT(exhausted([&] { session.run(huge, feeds); }), HasSubstr("[Fill huge]")) << size;
    EXPECT_THAT(exhausted([&] { session.run(sum, feeds); }),
                ::testing::AnyOf(HasSubstr("[Fill huge]"), HasSubstr("[MatMul product]")))
        << size;
  }
  EXPECT_EQ(session.run(sum, {{n, Tensor::vector<int64_t>({2, 2})}}).item<float>(), 8);
}

}  // namespace
}  // namespace vf
