// The rows of the benchmark at a small size: each computes the same again, changes what it says it changes, and the
// comparison that guards the measurements notices what differs. Nothing is timed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "varflow/error.h"
#include "worker/comparison.h"
#include "worker/noise.h"
#include "worker/work.h"

namespace vf::bench {
namespace {

class RowTest : public testing::TestWithParam<const char*> {};

TEST_P(RowTest, AnswersTheSameBeforeAndAfterMeasuring) {
  const auto work = make_work(GetParam(), {.threads = 1, .shrink = 8});
  const Arrays start = work->start();
  const Arrays first = work->answer();
  EXPECT_GT(work->measure(1, 3), 0);
  const Arrays again = work->answer();
  ASSERT_FALSE(first.empty());
  if (std::string(GetParam()) == "adjust_kernel") return;  // its random numbers go on
  for (const Distance& d : compare(start, first, again)) EXPECT_EQ(d.distance, 0) << d.name;
}

INSTANTIATE_TEST_SUITE_P(Rows, RowTest,
                         testing::Values("mlp", "lenet", "lenet_deterministic", "resnet18", "adam", "scale_kernel",
                                         "scale_kernel_prepared", "adjust_kernel", "chain", "sizes", "plan_1000"),
                         [](const auto& row) { return std::string(row.param); });

TEST(Row, UnknownIsRefused) { EXPECT_THROW(make_work("cnn", {}), Error); }

TEST(Row, ScaledKernelIsTheStartTimes0_9ForEachStep) {
  const auto work = make_work("scale_kernel", {.threads = 1});
  const Tensor start = work->start().at("kernel").clone();
  const Tensor end = work->answer().at("kernel");
  for (int64_t i = 0; i < 1728; ++i) ASSERT_NEAR(end.number(i), start.number(i) * 0.9 * 0.9, 1e-6);
}

// A step of Adam with a constant gradient takes the learning rate off each weight.
TEST(Row, AdamStepsByItsLearningRate) {
  const auto work = make_work("adam", {.threads = 1, .shrink = 25'000});
  const Tensor start = work->start().at("weights").clone();
  const Tensor end = work->answer().at("weights");
  for (int64_t i = 0; i < 1000; ++i) ASSERT_NEAR(end.number(i), start.number(i) - 2 * 0.001, 1e-6);
}

// Reads see the writes before them.
TEST(Row, PlanRunsItsNodesInOrder) {
  float x = 0;
  float v[100] = {};
  const auto work = make_work("plan_10000", {.threads = 1});
  x = noise({16}, -1, 1, 100).values<float>()[0];
  for (uint64_t i = 0; i < 100; ++i) v[i] = noise({16}, -1, 1, i).values<float>()[0];
  for (int i = 0; 3 * i < 10000; ++i) x = v[i % 100] -= std::tanh(x * v[i % 100]);
  EXPECT_NEAR(work->answer().at("end").number(0), x, 1e-4);
}

class ComparisonTest : public testing::Test {
 protected:
  double worst() const { return compare(start, ours, theirs).front().distance; }
  Arrays start = {{"w", Tensor::vector<float>({1, 1})}};
  Arrays ours = {{"w", Tensor::vector<float>({1, 1.01F})}, {"loss", Tensor(2.0F)}};
  Arrays theirs = {{"w", Tensor::vector<float>({1, 1.01F})}, {"loss", Tensor(2.0F)}};
};

TEST_F(ComparisonTest, EqualAnswersHaveNoDistance) { EXPECT_EQ(worst(), 0); }

TEST_F(ComparisonTest, WeightsAreComparedByTheirChange) {
  ours["w"] = Tensor::vector<float>({1, 1.011F});
  EXPECT_NEAR(worst(), 0.1, 1e-3);
}

TEST_F(ComparisonTest, OtherValuesAreComparedAsTheyAre) {
  ours["loss"] = Tensor(2.2F);
  EXPECT_NEAR(worst(), 0.1, 1e-3);
}

TEST_F(ComparisonTest, WhatIsMissingIsFar) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  ours.erase("loss");
  EXPECT_EQ(worst(), kFar);
  EXPECT_EQ(compare(start, theirs, ours).front().distance, kFar);
  EXPECT_EQ(compare(start, ours, theirs, {"w"}).front().distance, 0);
}

TEST_F(ComparisonTest, OtherShapesNaNsAndStandingStillAreFar) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  ours["w"] = Tensor::vector<float>({1, 1, 1});
  EXPECT_EQ(worst(), kFar);
  ours["w"] = theirs["w"] = Tensor::vector<float>({1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(worst(), kFar);
  ours["w"] = theirs["w"] = start["w"];
  EXPECT_EQ(worst(), kFar);
}

TEST_F(ComparisonTest, FoldersKeepArrays) {
  const std::string folder = testing::TempDir() + "varflow_worker_test";
  write_arrays(folder, {{"a/kernel", Tensor::vector<float>({1, 2})}});
  const Arrays read = read_arrays(folder);
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(compare({}, read, {{"a.kernel", Tensor::vector<float>({1, 2})}}).front().distance, 0);
}

}  // namespace
}  // namespace vf::bench
