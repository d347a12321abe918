// What LeNet ends with against real TensorFlow, over five seeds: once rounding has led the runs apart, accuracies can
// be compared and losses not. tests/golden/make_final_accuracy.py made what is compared with.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "golden_models.h"
#include "train/dataset.h"

namespace vf::golden {
namespace {

constexpr int64_t kSteps = 352;

struct Accuracies {
  void add(double value) { values.push_back(value); }
  double mean() const {
    double sum = 0;
    for (double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }
  // Of the mean, squared.
  double error() const {
    double sum = 0;
    for (double v : values) sum += (v - mean()) * (v - mean());
    return sum / static_cast<double>(values.size() * (values.size() - 1));
  }
  std::vector<double> values;
};

int64_t correct_after_training(const Training& training, int64_t seed) {
  const GoldenModel model(training, seed);
  const train::Dataset test = train::read_dataset(VARFLOW_SOURCE_ROOT "/data/mnist10k", "t10k");
  const int64_t count = test.images.shape()[0];
  std::vector<int64_t> rows(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) rows[static_cast<size_t>(i)] = i;
  train::Batch all;
  train::fill_batch(test, rows.data(), count, all);
  const Output images = placeholder(*model.graph, DType::Float, all.images.shape(), "test_images");
  const Output logits = model.test_logits(images);
  const std::unique_ptr<Session> session = model.start();
  const Callable step = session->make_callable({model.train}, {model.images, model.labels});
  for (int64_t i = 0; i < kSteps; ++i) {
    const Feeds batch = model.batch(i);
    step({batch[0].second, batch[1].second});
  }
  const Tensor result = session->run(logits, {{images, all.images}});
  const float* scores = result.data<float>();
  int64_t correct = 0;
  for (int64_t i = 0; i < count; ++i)
    correct +=
        std::max_element(scores + 10 * i, scores + 10 * i + 10) - (scores + 10 * i) == all.labels.data<int32_t>()[i];
  return correct;
}

TEST(FinalAccuracy, IsTensorFlowsOverFiveSeeds) {
  if (!std::getenv("VARFLOW_SOAK")) GTEST_SKIP() << "trains for a minute: ./dev soak runs it";
  const Training training = read_training(VARFLOW_TEST_DATA "/steps/lenet.steps.gz");
  std::ifstream golden(VARFLOW_TEST_DATA "/final_accuracy.txt");
  Accuracies ours, theirs;
  int64_t seed = 0;
  double with_onednn = 0, without = 0;
  while (golden >> seed >> with_onednn >> without) {
    const int64_t correct = correct_after_training(training, seed);
    std::printf("seed %d: %d right, TensorFlow %.0f with oneDNN and %.0f without\n", static_cast<int>(seed),
                static_cast<int>(correct), with_onednn, without);
    ours.add(static_cast<double>(correct));
    theirs.add(with_onednn);
    theirs.add(without);
  }
  ASSERT_EQ(ours.values.size(), 5);
  // Three standard errors of the difference, of accuracies that are whole numbers of digits.
  EXPECT_NEAR(ours.mean(), theirs.mean(), 1 + 3 * std::sqrt(ours.error() + theirs.error()));
}

}  // namespace
}  // namespace vf::golden
