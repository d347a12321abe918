// Ops whose results have as many elements as the values say, and what is built on them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "varflow/array_functions.h"
#include "varflow/function.h"
#include "varflow/gradients.h"
#include "varflow/session.h"

namespace vf {
namespace {

using ::testing::ElementsAre;

Output fed(Graph& g, DType dtype, const Shape& shape) {
  return make(g, "Placeholder", {}, {{"dtype", dtype}, {"shape", shape}});
}

TEST(BooleanMask, TakesTheSlicesThatAreTrue) {
  Graph g;
  const Output x = fed(g, DType::Float, Shape{2, 3});
  const Output rows = fed(g, DType::Bool, Shape{2});
  const Output columns = fed(g, DType::Bool, Shape{3});
  const Output all = fed(g, DType::Bool, Shape{2, 3});
  const Feeds feeds{{x, Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
                    {rows, Tensor::vector<bool>({false, true})},
                    {columns, Tensor::vector<bool>({true, false, true})},
                    {all, Tensor::of<bool>({2, 3}, {true, false, false, false, true, true})}};
  const Output by_row = boolean_mask(x, rows);
  EXPECT_EQ(by_row.shape().str(), "[?,3]");
  Session s(g);
  const auto out =
      s.run({by_row, boolean_mask(x, columns, 1), boolean_mask(x, columns, -1), boolean_mask(x, all)}, feeds);
  EXPECT_EQ(out[0].str(), "[1,3] float32 [4 5 6]");
  EXPECT_EQ(out[1].str(), "[2,2] float32 [1 3 4 6]");
  EXPECT_EQ(out[2].str(), "[2,2] float32 [1 3 4 6]");
  EXPECT_EQ(out[3].str(), "[3] float32 [1 5 6]");
  // Shapes that only the run knows, two dimensions behind one.
  const Output unknown = fed(g, DType::Float, Shape{Shape::kUnknown, Shape::kUnknown, Shape::kUnknown});
  EXPECT_EQ(
      s.run(boolean_mask(unknown, all, 1), {{unknown, Tensor::of<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6})}, feeds[3]})
          .str(),
      "[1,3] float32 [1 5 6]");
}

// d sum(masked^2) / dx is 2 x where the mask is true; one plan for masks of all counts, none true included.
TEST(BooleanMask, HasTheGradientOfWhatItTakes) {
  Graph g;
  const Output x = fed(g, DType::Float, Shape{4, 2});
  const Output mask = fed(g, DType::Bool, Shape{4});
  const Output taken = boolean_mask(x, mask);
  const Output loss = make("Sum", {make("Square", {taken}), {0, 1}});
  const Output gradient = gradients({loss}, {x})[0];
  Session s(g);
  const Tensor value = Tensor::of<float>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  for (int bits = 0; bits < 16; ++bits) {
    Tensor m(DType::Bool, Shape{4});
    float sum = 0;
    std::vector<float> expected(8, 0.0F);
    for (int i = 0; i < 8; ++i) {
      const bool in = bits >> (i / 2) & 1;
      m.data<bool>()[i / 2] = in;
      const float v = value.values<float>()[static_cast<size_t>(i)];
      if (in) sum += v * v;
      if (in) expected[static_cast<size_t>(i)] = 2 * v;
    }
    const auto out = s.run({loss, gradient}, {{x, value}, {mask, m}});
    EXPECT_EQ(out[0].item<float>(), sum);
    EXPECT_THAT(out[1].values<float>(), ::testing::ElementsAreArray(expected)) << bits;
  }
}

TEST(BooleanMask, RefusesMasksThatDoNotFit) {
  Graph g;
  const Output x = fed(g, DType::Float, Shape{2, 3});
  EXPECT_THROW(boolean_mask(x, fed(g, DType::Bool, Shape{3})), Error);
  EXPECT_THROW(boolean_mask(x, fed(g, DType::Bool, Shape::unknown())), Error);
  EXPECT_THROW(boolean_mask(x, Tensor(true)), Error);
  EXPECT_THROW(boolean_mask(x, fed(g, DType::Bool, Shape{3, 1}), 1), Error);
}

// More sizes than a plan keeps, up and down again, with what depends on the size behind.
TEST(Where, FollowsEverySize) {
  Graph g;
  const Output x = fed(g, DType::Int32, Shape{50});
  const Output places = make("Where", {x});
  const Output sizes = make("Shape", {places});
  const Output sum = make("Sum", {places, {0, 1}});
  Session s(g, {.threads = 1});
  for (int step = 0; step < 100; ++step) {
    const int count = step < 50 ? step : 100 - step;
    Tensor ones = Tensor::zeros(DType::Int32, Shape{50});
    std::fill_n(ones.data<int32_t>(), count, 7);
    const auto out = s.run({sizes, sum}, {{x, ones}});
    EXPECT_THAT(out[0].values<int32_t>(), ElementsAre(count, 1));
    EXPECT_EQ(out[1].item<int64_t>(), count * (count - 1) / 2);
  }
}

// Two of them in a row, a constant one first; results of both.
TEST(Where, EndsMoreThanOneSegment) {
  Graph g;
  const Output fixed = make(g, "Where", {Tensor::vector<bool>({true, false, true, true})});
  const Output x = fed(g, DType::Float, Shape{3});
  const Output positive = make("Where", {make("Greater", {x, 0.0F})});
  const Output both = make("ConcatV2", {fixed, positive, 0});
  Session s(g);
  const auto out = s.run({fixed, both, positive}, {{x, Tensor::vector<float>({-1, 2, 3})}});
  EXPECT_EQ(out[0].str(), "[3,1] int64 [0 2 3]");
  EXPECT_EQ(out[1].str(), "[5,1] int64 [0 2 3 1 2]");
  EXPECT_EQ(out[2].str(), "[2,1] int64 [1 2]");
}

TEST(Where, RefusesAScalar) {
  Graph g;
  EXPECT_THROW(make(g, "Where", {Tensor(true)}), Error);
}

TEST(Unique, FindsStrings) {
  Graph g;
  const Output x = fed(g, DType::String, Shape{5});
  Node* n = NodeBuilder("UniqueWithCounts").input(x).build();
  Tensor words(DType::String, Shape{5});
  const char* const text[] = {"b", "", "b", "a", "b"};
  std::copy_n(text, 5, words.data<std::string>());
  Session s(g);
  for (int round = 0; round < 2; ++round) {
    const auto out = s.run({Output(n, 0), Output(n, 1), Output(n, 2)}, {{x, words}});
    EXPECT_THAT(out[0].values<std::string>(), ElementsAre("b", "", "a"));
    EXPECT_THAT(out[1].values<int32_t>(), ElementsAre(0, 1, 0, 2, 0));
    EXPECT_THAT(out[2].values<int32_t>(), ElementsAre(3, 1, 1));
  }
}

// While a list has more than one value: the different halves of its values.
TEST(Unique, InTheBodyOfALoop) {
  Graph g;
  const Function& more = g.add_function("more", {{DType::Int32}}, [](Graph&, const auto& a) -> std::vector<Output> {
    return {make("Greater", {make("Size", {a[0]}), 1})};
  });
  const Function& halve = g.add_function("halve", {{DType::Int32}}, [](Graph&, const auto& a) -> std::vector<Output> {
    return {make("Unique", {make("FloorDiv", {a[0], 2})})};
  });
  const Output x = fed(g, DType::Int32, Shape{Shape::kUnknown});
  const Output last = while_op({x}, more, halve)[0];
  Session s(g);
  EXPECT_THAT(s.run(last, {{x, Tensor::vector<int32_t>({8, 9, 10, 11, 15})}}).values<int32_t>(), ElementsAre(1));
  EXPECT_THAT(s.run(last, {{x, Tensor::vector<int32_t>({6, 7})}}).values<int32_t>(), ElementsAre(3));
  EXPECT_THAT(s.run(last, {{x, Tensor::vector<int32_t>({5})}}).values<int32_t>(), ElementsAre(5));
}

}  // namespace
}  // namespace vf
