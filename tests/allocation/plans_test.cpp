// What a session keeps and what making a plan takes, by counting.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "allocation/counter.h"
#include "varflow/session.h"

namespace vf::testing {
namespace {

Output fed(Graph& g) { return make(g, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{2}}}); }

// At most 1 KB for each node that joins, and nothing for fetches that come again or go: the session keeps so many
// plans.
TEST(Kept, IsFlatButForNodes) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer has the heap";
  Graph g;
  const Output x = fed(g);
  Session session(g, {.threads = 1});
  const Tensor in = Tensor::vector<float>({1, 2});
  std::vector<Output> fetches;
  const auto add = [&] {
    fetches.push_back(make("Add", {x, x}));
    ASSERT_EQ(session.run(fetches.back(), {{x, in}}).values<float>()[1], 4);
  };
  fetches.reserve(10'000);
  for (int i = 0; i < 2'000; ++i) add();  // as many plans as a session keeps, and more
  const int before = g.num_nodes();
  AllocationCounter nodes(false);
  while (fetches.size() < 10'000) add();
  const Allocations grown = nodes.stop();
  EXPECT_EQ(g.num_nodes(), before + 8'000);
  EXPECT_LE(grown.kept, 8'000 * 1024);
  RecordProperty("bytes a node", std::to_string(grown.kept / 8'000));
  AllocationCounter again(false);
  for (const Output& y : fetches) ASSERT_EQ(session.run(y, {{x, in}}).values<float>()[0], 2);
  EXPECT_LE(again.stop().kept, 64 * 1024);
}

// Calls for memory and bytes asked for, until a chain of `n` ops has run once.
Allocations first_run(int n, bool elementwise) {
  Graph g;
  const Output x = fed(g);
  Output y = x;
  for (int i = 0; i < n; ++i)
    y = elementwise || i % 2 ? make("Add", {y, x}) : make("Softmax", {make("Reshape", {y, {1, 2}})});
  Session session(g, {.threads = 1});
  const Fetches fetches{make("Sum", {y, Tensor::vector<int32_t>({0})})};
  const Feeds feeds{{x, Tensor::vector<float>({1, 2})}};
  AllocationCounter counter(false);
  session.run(fetches, feeds);
  return counter.stop();
}

// Making a plan is linear: calls for memory and bytes, by node, are the same for chains of any length.
TEST(PlanMaking, IsLinearInNodes) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer has the heap";
  for (const bool elementwise : {true, false}) {
    std::vector<double> calls;
    std::vector<double> bytes;
    for (const int n : {1'000, 10'000, 100'000}) {
      const Allocations a = first_run(n, elementwise);
      calls.push_back(static_cast<double>(a.count) / n);
      bytes.push_back(static_cast<double>(a.bytes) / n);
      RecordProperty((elementwise ? "fused " : "single ") + std::to_string(n),
                     std::to_string(calls.back()) + " calls, " + std::to_string(bytes.back()) + " bytes a node");
    }
    for (size_t i = 1; i < calls.size(); ++i) {
      EXPECT_NEAR(calls[i] / calls[0], 1, 0.2) << calls[i] << " and " << calls[0] << " calls a node";
      EXPECT_LE(bytes[i], 2 * bytes[0]) << "more than vectors that double";
    }
  }
}

}  // namespace
}  // namespace vf::testing
