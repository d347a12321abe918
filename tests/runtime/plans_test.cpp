// One session, many plans: several signatures, shapes and threads at once, graphs that grow meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

Output fed(Graph& g, const Shape& shape) {
  return make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", shape}});
}

Tensor counted(const Shape& shape) {
  Tensor t(DType::Float, shape);
  for (int64_t i = 0; i < t.num_elements(); ++i) t.data<float>()[i] = static_cast<float>(i);
  return t;
}

double sum_of(const Tensor& t) {
  double s = 0;
  for (const float f : t.values<float>()) s += f;
  return s;
}

// Two signatures in turn, with sizes that change from run to run, while nodes join between the runs.
TEST(Plans, SignaturesShapesAndANewNodeInTurn) {
  Graph g;
  const Output x = fed(g, {-1, 3});
  const Variable v = variable(g, Tensor::vector<float>({1, 2, 3}));
  const Output shifted = make("Add", {x, v});
  const Output total = make("Sum", {shifted, Tensor::vector<int32_t>({0, 1})});
  const Output grow = assign_add(v, Tensor::vector<float>({1, 0, 0}));
  Session session(g);
  session.run(v.initializer());
  Output last = total;
  double first = 1;  // v[0]
  for (const int64_t n : {1, 4, 2, 4, 0, 7, 1}) {
    const Tensor in = counted({n, 3});
    const double want = sum_of(in) + static_cast<double>(n) * (first + 2 + 3);
    EXPECT_EQ(session.run(total, {{x, in}}).item<float>(), want);
    const std::vector<Tensor> both = session.run({shifted, total}, {{x, in}});
    EXPECT_EQ(both[0].shape(), Shape({n, 3}));
    EXPECT_EQ(sum_of(both[0]), want);
    last = make("Add", {last, 1.0F});
    const float more = static_cast<float>(g.num_nodes());
    const Output fresh = make("Mul", {make("Sub", {last, last}), more});
    EXPECT_EQ(session.run(make("Add", {fresh, total}), {{x, in}}).item<float>(), want);
    session.run(grow.node);
    ++first;
  }
}

TEST(Plans, TenThousandNewFetches) {
  Graph g;
  const Output x = fed(g, {2});
  Session session(g);
  const Tensor in = Tensor::vector<float>({1, 2});
  for (int i = 0; i < 10'000; ++i) {
    const Output y = make("Mul", {x, static_cast<float>(i)});
    ASSERT_EQ(session.run(y, {{x, in}}).values<float>()[1], static_cast<float>(2 * i));
  }
}

// Every value that can come of four threads with `v *= 3`, which reads and then writes, and four with `v += 1`, where
// whole accesses of one variable interleave.
std::set<float> outcomes() {
  std::set<float> results;
  // The value, who has not read yet, what those that have read will write, who has not added yet.
  using State = std::tuple<float, int, std::multiset<float>, int>;
  std::set<State> seen;
  std::vector<State> open{{1.0F, 4, {}, 4}};
  while (!open.empty()) {
    const State s = open.back();
    open.pop_back();
    if (!seen.insert(s).second) continue;
    const auto& [value, readers, held, adders] = s;
    if (readers == 0 && held.empty() && adders == 0) results.insert(value);
    if (readers > 0) {
      std::multiset<float> more = held;
      more.insert(value * 3);
      open.emplace_back(value, readers - 1, more, adders);
    }
    for (const float h : held) {
      std::multiset<float> less = held;
      less.erase(less.find(h));
      open.emplace_back(h, readers, less, adders);
    }
    if (adders > 0) open.emplace_back(value + 1, readers, held, adders - 1);
  }
  return results;
}

TEST(Plans, EightThreadsAreSomeInterleaving) {
  constexpr int64_t kElements = 1000;
  Graph g;
  const Variable v = variable(g, Tensor::zeros(DType::Float, {kElements}));
  Tensor ones(DType::Float, {kElements});
  std::fill_n(ones.data<float>(), kElements, 1.0F);
  const Output triple = assign(v, v * 3.0F);
  const Output add = assign_add(v, ones);
  const std::set<float> possible = outcomes();
  ASSERT_GT(possible.size(), 20U);
  Session session(g, {.threads = 1});
  for (int round = 0; round < 200; ++round) {
    session.set({{v, ones}});
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        ++ready;
        while (ready < 8) std::this_thread::yield();
        session.run(t % 2 ? triple.node : add.node);
      });
    for (std::thread& t : threads) t.join();
    const Tensor after = session.get(v);
    const float got = after.values<float>()[0];
    EXPECT_TRUE(possible.count(got)) << got;
    for (const float f : after.values<float>()) ASSERT_EQ(f, got) << "half of a write";
  }
}

// Threads make nodes of one graph, each its own, run what they made, and find that nobody took their names; a session
// runs meanwhile.
TEST(Plans, ManyThreadsBuildOneGraphWhileAnotherRuns) {
  constexpr int kThreads = 4;
  constexpr int kNodes = 300;
  Graph g;
  const Output x = fed(g, {2});
  const Output base = make("Mul", {x, 2.0F});
  const Variable counter = variable(g, Tensor(0.0F), {.name = "counter"});
  const Output count = assign_add(counter, 1.0F);
  Session session(g, {.threads = 1});
  session.run(counter.initializer());
  const Tensor in = Tensor::vector<float>({1, 2});
  std::atomic<bool> stop{false};
  std::atomic<int> runs{0};
  std::thread runner([&] {
    do {
      EXPECT_EQ(session.run(base, {{x, in}}).values<float>()[1], 4);
      session.run(count.node);
      ++runs;
    } while (!stop);
  });
  std::vector<std::vector<Output>> made(kThreads);
  std::vector<std::thread> builders;
  for (int t = 0; t < kThreads; ++t)
    builders.emplace_back([&, t] {
      const NameScope scope(g, "thread");
      Output y = base;
      for (int i = 0; i < kNodes; ++i) {
        const ControlDependencies after(g, {base});
        y = make("Add", {y, static_cast<float>(t)}, {}, "add");
        made[static_cast<size_t>(t)].push_back(y);
        if (i % 100 == 0) {
          EXPECT_EQ(session.run(y, {{x, in}}).values<float>()[0], static_cast<float>(2 + (i + 1) * t));
        }
      }
      const Variable v = variable(y, {.name = "kept"});
      g.add_to_collection("kept", v.ref());
    });
  for (std::thread& t : builders) t.join();
  stop = true;
  runner.join();
  EXPECT_EQ(session.get(counter).item<float>(), static_cast<float>(runs));
  std::set<std::string> names;
  for (int id = 0; id < g.num_nodes(); ++id) {
    EXPECT_EQ(g.node(id)->id(), id);
    EXPECT_TRUE(names.insert(g.node(id)->name()).second) << g.node(id)->name();
    EXPECT_EQ(g.find(g.node(id)->name()), g.node(id));
    for (const Output& o : g.node(id)->inputs()) EXPECT_LT(o.node->id(), id);
  }
  EXPECT_EQ(g.collection("kept").size(), static_cast<size_t>(kThreads));
  for (int t = 0; t < kThreads; ++t) {
    ASSERT_EQ(made[static_cast<size_t>(t)].size(), static_cast<size_t>(kNodes));
    const Output& last = made[static_cast<size_t>(t)].back();
    EXPECT_EQ(session.run(last, {{x, in}}).values<float>()[0], static_cast<float>(2 + kNodes * t));
  }
}

}  // namespace
}  // namespace vf
