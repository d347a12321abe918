// Training against real TensorFlow: single steps from its recorded states, and the losses of runs from the start.
// tests/golden/make_training_steps.py made what is compared with.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "golden_models.h"

namespace vf::golden {
namespace {

constexpr double kLossTolerance = 1e-6;
constexpr double kTolerance = 1e-5;      // of a tensor's 2-norm
constexpr double kFreeTolerance = 1e-4;  // of losses of a run from the start, as long as TensorFlow agrees with itself

class TrainingGolden : public testing::TestWithParam<const char*> {
 protected:
  Training training = read_training(std::string(VARFLOW_TEST_DATA "/steps/") + GetParam() + ".steps.gz");
};
INSTANTIATE_TEST_SUITE_P(Models, TrainingGolden, testing::Values("lenet", "mlp", "resnet18"),
                         [](const auto& of) { return of.param; });

// The largest difference of a step, for the message.
struct Largest {
  double value = 0;
  std::string what;
};

void compare(const Result& expected, const Tensor& got, Largest& largest) {
  const Projections ours = project(got.values<float>());
  const double difference = estimated_distance(ours, expected.projections) / expected.norm;
  // Where TensorFlow's own kernels differ by more than that, no more can be asked for.
  const double tolerance = std::max(kTolerance, expected.onednn);
  EXPECT_LE(difference, tolerance) << expected.kind << " " << expected.name << ": from the step in double "
                                   << estimated_distance(ours, expected.double_projections) / expected.norm
                                   << ", TensorFlow " << expected.from_double << ", with oneDNN "
                                   << expected.onednn_from_double;
  if (difference > largest.value) largest = {difference, expected.kind + " " + expected.name};
  // Sums with signs tell nothing about places; single elements do.
  const auto n = static_cast<int64_t>(expected.samples.size());
  const double rms = expected.norm / std::sqrt(static_cast<double>(got.num_elements()));
  for (int64_t i = 0; i < n; ++i)
    EXPECT_NEAR(got.data<float>()[i * got.num_elements() / n], expected.samples[static_cast<size_t>(i)],
                100 * tolerance * rms)
        << expected.kind << " " << expected.name << ", element " << i * got.num_elements() / n;
}

TEST_P(TrainingGolden, StepsAreTensorFlows) {
  const GoldenModel model(training);
  ASSERT_EQ(training.variables.size(), model.variables.size() - model.slots.size());
  for (const Step& step : training.steps) {
    SCOPED_TRACE("step " + std::to_string(step.step));
    const std::unique_ptr<Session> session = model.before(step);
    Fetches fetches = {model.loss};
    for (const auto& [gradient, v] : model.gradients) fetches.emplace_back(gradient);
    fetches.emplace_back(model.train);
    const std::vector<Tensor> out = session->run(fetches, model.batch(step.step));
    const double loss = out[0].item<float>();
    EXPECT_NEAR(loss, step.loss, kLossTolerance * step.loss);
    Largest largest;
    for (size_t i = 0; i < model.gradients.size(); ++i)
      compare(step.result("gradient", model.gradients[i].second.name()), out[i + 1], largest);
    for (const Variable& v : training.variables) {
      compare(step.result("variable", v.name), session->get(model.variables.at(v.name).ref()), largest);
      if (v.trainable) compare(step.result("slot", v.name), session->get(model.slots.at(v.name).ref()), largest);
    }
    std::printf("%s step %3d: loss %.2g, largest difference %.2g (%s)\n", training.model.c_str(),
                static_cast<int>(step.step), std::abs(loss - step.loss) / step.loss, largest.value,
                largest.what.c_str());
  }
}

TEST_P(TrainingGolden, LossesFromTheStartAreTensorFlows) {
  ASSERT_GT(training.agree, 0);
  const GoldenModel model(training);
  const std::unique_ptr<Session> session = model.start();
  const Callable step = session->make_callable({model.loss, model.train}, {model.images, model.labels});
  double largest = 0;
  for (int64_t i = 0; i < training.agree; ++i) {
    const Feeds batch = model.batch(i);
    const double loss = step({batch[0].second, batch[1].second})[0].item<float>();
    const double expected = training.losses[static_cast<size_t>(i)];
    ASSERT_NEAR(loss, expected, kFreeTolerance * expected) << "step " << i;
    largest = std::max(largest, std::abs(loss - expected) / expected);
  }
  std::printf("%s: %d losses, largest difference %.2g\n", training.model.c_str(), static_cast<int>(training.agree),
              largest);
}

}  // namespace
}  // namespace vf::golden
