// Which runs have equal bits: those with the same seeds and number of threads; with `deterministic`, with any number.
#include <gtest/gtest.h>

#include <string>

#include "small_model.h"

namespace vf::testing {
namespace {

struct Case {
  const char* model;
  const char* optimizer;
  Shape image;
  int64_t batch;
};

// Losses of some steps of training, and every variable afterwards.
std::string trained(const Case& c, int threads, bool deterministic) {
  SmallModel small(c.model, c.optimizer, c.image, c.batch);
  Session session(small.graph, {.threads = threads, .deterministic = deterministic});
  session.run(small.initializer);
  std::vector<Tensor> results;
  for (int step = 0; step < 2; ++step)
    results.push_back(session.run({small.model.loss, small.model.train_op}, small.feeds())[0]);
  std::vector<VariableName> variables;
  for (const Variable& v : global_variables(small.graph)) variables.emplace_back(v);
  for (const Tensor& t : session.get(variables)) results.push_back(t);
  return bits(results);
}

class SameBits : public ::testing::TestWithParam<Case> {};

TEST_P(SameBits, OfOneSeedAndNumberOfThreads) {
  for (const int threads : {1, 3}) {
    const std::string first = trained(GetParam(), threads, false);
    EXPECT_TRUE(trained(GetParam(), threads, false) == first) << threads << " threads";
  }
}

TEST_P(SameBits, OfAnyNumberOfThreadsWhereDeterministic) {
  const std::string first = trained(GetParam(), 1, true);
  for (const int threads : {2, 3, 4}) EXPECT_TRUE(trained(GetParam(), threads, true) == first) << threads << " threads";
}

// ResNet-18 normalizes batches, and at this size its steps do depend on the number of threads where they may.
INSTANTIATE_TEST_SUITE_P(Models, SameBits,
                         ::testing::Values(Case{"lenet", "adam", {28, 28, 1}, 16},
                                           Case{"resnet18", "momentum", {32, 32, 3}, 2}),
                         [](const auto& model) { return std::string(model.param.model); });

}  // namespace
}  // namespace vf::testing
