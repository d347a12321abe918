#include "varflow/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace vf {
namespace {

Output variable(Graph& g, const std::string& name, const Shape& shape) {
  return make(g, "VariableV2", {}, {{"dtype", DType::Float}, {"shape", shape}}, name);
}

TEST(Session, ScalesAKernel) {
  Graph g;
  const Output v = variable(g, "v", {2});
  const Output init = make("Assign", {v, Tensor::vector<float>({1, 2})});
  const Output read = make("Identity", {v}, {}, "v/read");
  const Output decay = make("Assign", {v, make("Mul", {read, 0.5F})});
  Session s(g);
  EXPECT_THROW(s.run(decay), Error);
  s.run(init.node);
  const Tensor half = s.run(decay);
  EXPECT_EQ(half.values<float>()[1], 1.0F);
  const Tensor quarter = s.run(decay);
  EXPECT_EQ(quarter.values<float>()[0], 0.25F);
  EXPECT_EQ(half.values<float>()[1], 1.0F) << "a fetched value changed afterwards";
}

TEST(Session, NamesWhatIsUninitialized) {
  Graph g;
  const Output v = variable(g, "v", {2});
  Session s(g);
  try {
    s.run(make("Add", {v, 1.0F}, {}, "sum"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::FailedPrecondition);
    EXPECT_STREQ(e.what(), "[Add sum] Attempting to use uninitialized value v");
  }
}

TEST(Session, FeedsAndShapesChange) {
  Graph g;
  const Output x = make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{-1, 2}}}, "x");
  const Output y = make("Reshape", {make("Add", {x, x}), Tensor::vector<int32_t>({-1})});
  Session s(g);
  for (int n : {1, 3, 2, 3}) {
    Tensor in(DType::Float, Shape{n, 2});
    for (int i = 0; i < 2 * n; ++i) in.data<float>()[i] = static_cast<float>(i);
    const Tensor out = s.run(y, {{x, in}});
    ASSERT_EQ(out.shape(), Shape({2 * n}));
    EXPECT_EQ(out.values<float>()[static_cast<size_t>(2 * n - 1)], static_cast<float>(4 * n - 2));
  }
  EXPECT_THROW(s.run(y, {{x, Tensor::vector<float>({1})}}), Error);
  EXPECT_THROW(s.run(y), Error);
}

// A shape that only the run knows: the plan goes on in a second segment.
TEST(Session, ContinuesWhereAShapeDependsOnAValue) {
  Graph g;
  const Output x = make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{6}}}, "x");
  const Output shape = make(g, "Placeholder", {}, {{"dtype", DType::Int32}, {"shape", Shape{2}}}, "shape");
  const Output twice = make("Add", {x, x});
  const Output grid = make("Reshape", {twice, make("Add", {shape, Tensor::vector<int32_t>({1, 0})})});
  const Output sum = make("Add", {grid, grid});
  Session s(g);
  const Tensor in = Tensor::vector<float>({1, 2, 3, 4, 5, 6});
  for (int round = 0; round < 2; ++round) {
    auto out = s.run({sum, twice}, {{x, in}, {shape, Tensor::vector<int32_t>({1, 3})}});
    EXPECT_EQ(out[0].shape(), Shape({2, 3}));
    EXPECT_EQ(out[0].values<float>()[5], 24);
    EXPECT_EQ(out[1].values<float>()[5], 12);
    out = s.run({sum, twice}, {{x, in}, {shape, Tensor::vector<int32_t>({2, 2})}});
    EXPECT_EQ(out[0].shape(), Shape({3, 2}));
  }
}

// Values that one segment waited for are still known in the next ones.
TEST(Session, ContinuesMoreThanOnce) {
  Graph g;
  const auto fed = [&](DType dtype) { return make(g, "Placeholder", {}, {{"dtype", dtype}}); };
  const Output shape = fed(DType::Int32);
  const Output begin = fed(DType::Int32);
  const Output end = fed(DType::Int32);
  const Output dy = fed(DType::Float);
  const Output placed = make("StridedSliceGrad", {shape, begin, end, {1}, dy});
  Session s(g);
  for (int at : {1, 2, 1}) {
    const Tensor out = s.run(placed, {{shape, Tensor::vector<int32_t>({4})},
                                      {begin, Tensor::vector<int32_t>({at})},
                                      {end, Tensor::vector<int32_t>({at + 2})},
                                      {dy, Tensor::vector<float>({5, 6})}});
    ASSERT_EQ(out.shape(), Shape{4});
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(out.values<float>()[static_cast<size_t>(i)], i == at ? 5 : i == at + 1 ? 6 : 0);
  }
}

TEST(Session, SetsAllOrNothing) {
  Graph g;
  const Output a = variable(g, "a", {2});
  const Output b = variable(g, "b", {1});
  Session s(g);
  s.set({{a, Tensor::vector<float>({1, 2})}, {b, Tensor::vector<float>({3})}});
  const Tensor pinned = s.view(a);
  EXPECT_THROW(s.set({{a, Tensor::vector<float>({9, 9})}, {b, Tensor::vector<float>({9, 9})}}), Error);
  EXPECT_EQ(s.get(a).values<float>()[0], 1);
  s.set({{a, Tensor::vector<float>({7, 8})}});
  EXPECT_EQ(pinned.values<float>()[0], 1) << "a view moved with the variable";
  EXPECT_EQ(s.get(a).values<float>()[0], 7);
}

TEST(Session, GetsManyAtOneInstant) {
  Graph g;
  const Output a = variable(g, "a", {1000}), b = variable(g, "b", {1000});
  Session session(g);
  const auto set_both = [&](float value) {
    Tensor t(DType::Float, {1000});
    std::fill_n(t.data<float>(), 1000, value);
    session.set({{a, t}, {b, t}});
  };
  set_both(0);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 1; !stop; ++i) set_both(static_cast<float>(i));
  });
  float last = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::vector<Tensor> values = session.get({a, b, a});
    ASSERT_EQ(values.size(), 3);
    last = values[0].data<float>()[999];
    EXPECT_EQ(values[1].data<float>()[0], last);
    EXPECT_EQ(values[2].data<float>()[500], last);
  }
  stop = true;
  writer.join();
  const Output c = variable(g, "c", {1});
  EXPECT_THROW(session.get({a, c}), Error);
}

TEST(Session, CountsFromManyThreads) {
  Graph g;
  const Output v = variable(g, "v", {1000});
  Session s(g);
  s.set({{v, Tensor::zeros(DType::Float, {1000})}});
  const Output add = make("AssignAdd", {v, make(g, "Fill", {Tensor::vector<int32_t>({1000}), 1.0F})});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) s.run(add.node);
    });
  for (auto& t : threads) t.join();
  const Tensor sum = s.get(v);
  for (float f : sum.values<float>()) ASSERT_EQ(f, 800);
}

TEST(Session, Closes) {
  Graph g;
  const Output c = make(g, "Const", {}, {{"dtype", DType::Float}, {"value", Tensor(1.0F)}});
  Session s(g);
  EXPECT_EQ(s.run(c).item<float>(), 1);
  s.close();
  EXPECT_THROW(s.run(c), Error);
}

}  // namespace
}  // namespace vf
