// What a session shows of a run, and what stops one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "varflow/op.h"
#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

Output fed(Graph& g, const Shape& shape) {
  return make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", shape}});
}

// Elementwise chains, a read, a write, a group: each node is a step of its own where somebody looks.
TEST(Trace, NamesEveryNodeInOrder) {
  Graph g;
  const Output x = fed(g, {2, 2});
  const Variable v = variable(g, Tensor::of<float>({2, 2}, {1, 2, 3, 4}), {.name = "v"});
  const Output product = make("MatMul", {x, v}, {}, "product");
  const Output twice = make("Add", {product, product}, {}, "twice");
  const Output root = make("Sqrt", {make("Square", {twice}, {}, "square")}, {}, "root");
  const Output update = make("AssignSub", {v.ref(), root}, {}, "update");
  const Output after = make("Sum", {root, Tensor::vector<int32_t>({0, 1})}, {}, "after");
  struct Seen {
    std::string name;
    const Node* node;
    bool read;
    int64_t begin, end;
  };
  std::vector<Seen> seen;
  SessionOptions options;
  options.trace = [&](const TraceRecord& r) { seen.push_back({r.node->name(), r.node, r.read, r.begin_ns, r.end_ns}); };
  Session session(g, options);
  session.run(v.initializer());
  for (int round = 0; round < 2; ++round) {
    seen.clear();
    session.run({after, update.node}, {{x, Tensor::of<float>({2, 2}, {1, 0, 0, 1})}});
    std::map<std::string, size_t> at;
    int64_t last = 0;
    for (size_t i = 0; i < seen.size(); ++i) {
      EXPECT_LE(last, seen[i].begin) << seen[i].name << " began before the step before it ended";
      EXPECT_LE(seen[i].begin, seen[i].end) << seen[i].name;
      last = seen[i].end;
      if (seen[i].read) continue;
      EXPECT_TRUE(at.emplace(seen[i].name, i).second) << seen[i].name << " ran twice";
      for (const Output& in : seen[i].node->inputs())
        EXPECT_TRUE(in.node->inputs().empty() || in.node->op().alias || at.count(in.node->name()))
            << seen[i].name << " ran before " << in.node->name();
    }
    for (const char* name : {"product", "twice", "square", "root", "update", "after"})
      EXPECT_EQ(at.count(name), 1U) << name;
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const Seen& s) { return s.read; }), 1);
  }
}

TEST(NanFinder, NamesTheFirstNode) {
  Graph g;
  const Output x = fed(g, {3});
  const Output log = make("Log", {make("Sub", {x, 1.0F}, {}, "less")}, {}, "logarithm");
  const Output later = make("Sum", {make("Mul", {log, log}, {}, "later"), Tensor::vector<int32_t>({0})});
  SessionOptions options;
  options.find_nan = true;
  Session session(g, options);
  EXPECT_EQ(session.run(later, {{x, Tensor::vector<float>({2, 2, 2})}}).item<float>(), 0);
  for (const float bad : {0.5F, 1.0F}) {  // a NaN, an infinity
    try {
      session.run(later, {{x, Tensor::vector<float>({2, 3, bad})}});
      ADD_FAILURE() << "nothing was found for " << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.node(), "logarithm");
      EXPECT_STREQ(e.what(), "[Log logarithm] output 0 is not finite at element 2 (step 1 of the run)");
    }
  }
}

TEST(TimeLimit, StopsARunBeforeItsNextStep) {
  Graph g;
  const Variable v = variable(g, Tensor::vector<float>({1, 2}));
  const Output add = assign_add(v, Tensor::vector<float>({1, 1}));
  Session short_one(g, {.time_limit = std::chrono::nanoseconds(1)});
  short_one.set({{v, Tensor::vector<float>({1, 2})}});
  for (int round = 0; round < 2; ++round) {
    try {
      short_one.run(add.node);
      ADD_FAILURE() << "it ended within a nanosecond";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::DeadlineExceeded);
    }
    EXPECT_EQ(short_one.get(v).values<float>()[0], 1);
  }
  Session long_one(g, {.time_limit = std::chrono::hours(1)});
  long_one.run(v.initializer());
  long_one.run(add.node);
  EXPECT_EQ(long_one.get(v).values<float>()[0], 2);
}

// A long run of writes to two variables in turn, stopped at every place: all writes before it are there, whole, and
// none after it; the session then runs on.
TEST(Cancellation, LeavesEachVariableBeforeOrAfterEachWrite) {
  constexpr int kWrites = 60;
  constexpr int64_t kElements = 10'000;
  Graph g;
  const Variable a = variable(g, Tensor::zeros(DType::Float, {kElements}), {.name = "a"});
  const Variable b = variable(g, Tensor::zeros(DType::Float, {kElements}), {.name = "b"});
  std::vector<Node*> writes;
  for (int i = 0; i < kWrites; ++i) {
    const Variable& v = i % 2 ? b : a;
    writes.push_back(assign(v, v + 1.0F).node);
  }
  Node* const all = group(g, writes);
  int steps = 0;
  int stop_after = 0;
  Cancellation* cancellation = nullptr;
  SessionOptions options;
  options.trace = [&](const TraceRecord&) {
    if (cancellation && ++steps == stop_after) std::thread([&] { cancellation->cancel(); }).join();
  };
  Session session(g, options);
  for (stop_after = 1; stop_after < 3 * kWrites - 1; stop_after += 7) {
    session.run({a.initializer(), b.initializer()});
    Cancellation c;
    cancellation = &c;
    steps = 0;
    try {
      session.run({Fetch(all)}, {}, c);
      ADD_FAILURE() << "it ended, though stopped after step " << stop_after;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::Cancelled);
    }
    cancellation = nullptr;
    EXPECT_EQ(steps, stop_after);
    const std::vector<Tensor> values = session.get(std::vector<VariableName>{a, b});
    for (const Tensor& t : values) EXPECT_THAT(t.values<float>(), ::testing::Each(t.values<float>()[0]));
    const float in_a = values[0].values<float>()[0];
    const float in_b = values[1].values<float>()[0];
    EXPECT_TRUE(in_a == in_b || in_a == in_b + 1) << in_a << " and " << in_b;
    EXPECT_LT(in_a + in_b, kWrites);
  }
  session.run({a.initializer(), b.initializer()});
  session.run(all);
  EXPECT_EQ(session.get(b).values<float>()[0], kWrites / 2);
}

}  // namespace
}  // namespace vf
