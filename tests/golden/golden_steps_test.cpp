// The reader of recorded training steps, checked against numbers that the Python scripts beside this file print and
// against the rule of the momentum optimizer, which the recorded tensors have to obey.
#include "golden_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

namespace vf::golden {
namespace {

std::string steps_path(const std::string& model) { return VARFLOW_TEST_DATA "/steps/" + model + ".steps.gz"; }

std::vector<float> start_values(const Variable& v) {
  return std::vector<float>(static_cast<size_t>(v.size()), v.start == "ones" ? 1.0f : 0.0f);
}

class GoldenSteps : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, GoldenSteps, testing::Values("lenet", "mlp", "resnet18"));

TEST(GoldenHash, IsThatOfPython) {
  EXPECT_EQ(hash64(0, 0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(hash64(1, 5), 0xc097314d939736f8u);
  EXPECT_EQ(hash64(3, uint64_t{1} << 40), 0xeee0c8b0e2b26a14u);
}

TEST(GoldenProjections, AreThoseOfPython) {
  // make_training_steps.projections of the float32 values (hash64(4, i) >> 40) * 2^-24 - 0.5, i < 1000.
  std::vector<float> x(1000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(static_cast<float>(hash64(4, i) >> 40), -24) - 0.5f;
  const Projections p = project(x);
  EXPECT_NEAR(p[0], -0.11601722240447998, 1e-11);
  EXPECT_NEAR(p[1], 13.218194603919983, 1e-11);
  EXPECT_NEAR(p[31], 13.59534239768982, 1e-11);
  EXPECT_NEAR(p[63], 5.4129661321640015, 1e-11);
}

TEST(GoldenProjections, EstimateTheDistanceOfTwoTensors) {
  std::vector<float> a(10000), b(10000);
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = std::ldexp(static_cast<float>(hash64(5, i) >> 40), -24);
    b[i] = a[i] * (i % 7 ? 1.0f : 1.001f);
    squares += std::pow(static_cast<double>(a[i]) - b[i], 2);
  }
  EXPECT_NEAR(estimated_distance(project(a), project(b)) / std::sqrt(squares), 1, 0.3);
}

TEST(GoldenBatch, IsThatOfPython) {
  std::vector<float> images;
  std::vector<int32_t> labels;
  formula_batch(20, images, labels);
  ASSERT_EQ(images.size(), 49152u);
  EXPECT_EQ(images[0], 0.3411526083946228f);
  EXPECT_EQ(images[1], 0.11342132091522217f);
  EXPECT_EQ(images[2], 0.712165892124176f);
  EXPECT_EQ(labels, (std::vector<int32_t>{2, 3, 8, 9, 0, 3, 7, 6, 0, 1, 2, 2, 7, 9, 8, 8}));
}

TEST_P(GoldenSteps, HoldEveryTensorOfTheModel) {
  const Training t = read_training(steps_path(GetParam()));
  EXPECT_EQ(t.model, GetParam());
  EXPECT_EQ(t.losses.size(), t.onednn_losses.size());
  for (int64_t i = 0; i < t.agree; ++i) EXPECT_NEAR(t.losses[i], t.onednn_losses[i], 1e-5 * t.losses[i]);
  ASSERT_FALSE(t.steps.empty());
  for (const Step& step : t.steps) {
    for (const Variable& v : t.variables) {
      for (const bool slot : {false, true}) {
        if (slot && !v.trainable) continue;
        const State& state = step.state(slot, v.name);
        const size_t stored = state.steps.size() + state.exact.size();
        EXPECT_TRUE(stored == 0 || stored == static_cast<size_t>(v.size())) << v.name;
        const Result& result = step.result(slot ? "slot" : "variable", v.name);
        EXPECT_EQ(result.samples.size(), static_cast<size_t>(std::min<int64_t>(32, v.size()))) << v.name;
      }
      if (v.trainable) {
        EXPECT_GT(step.result("gradient", v.name).norm, 0) << v.name;
      }
    }
    EXPECT_NEAR(step.loss, step.double_loss, 1e-6 * step.double_loss);
    EXPECT_NEAR(step.onednn_loss, step.double_loss, 1e-6 * step.double_loss);
  }
}

// slot = slot * momentum + gradient; variable -= slot * learning_rate. The projections are linear, so they obey it too.
TEST_P(GoldenSteps, ObeyTheMomentumRule) {
  const Training t = read_training(steps_path(GetParam()));
  int checked = 0;
  for (const Step& step : t.steps) {
    for (const Variable& v : t.variables) {
      if (!v.trainable || v.start == "glorot_uniform") continue;
      const std::vector<float> zeros(static_cast<size_t>(v.size()));
      const Projections before = project(step.state(false, v.name).decode(start_values(v)));
      const Projections slot_before = project(step.state(true, v.name).decode(zeros));
      const Projections& gradient = step.result("gradient", v.name).projections;
      const Projections& slot = step.result("slot", v.name).projections;
      const Projections& after = step.result("variable", v.name).projections;
      Projections expected_slot, expected;
      for (size_t j = 0; j < slot.size(); ++j) {
        expected_slot[j] = slot_before[j] * t.momentum + gradient[j];
        expected[j] = before[j] - slot[j] * t.learning_rate;
      }
      EXPECT_LT(estimated_distance(expected_slot, slot), 3e-7 * step.result("slot", v.name).norm) << v.name;
      EXPECT_LT(estimated_distance(expected, after), 3e-7 * step.result("variable", v.name).norm) << v.name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(GoldenState, RefusesAStartThatIsNotTensorFlows) {
  const Training t = read_training(steps_path("mlp"));
  for (const State& state : t.steps.back().states) {
    if (state.steps.empty() || !state.is_slot) continue;
    std::vector<float> start(state.steps.size());
    EXPECT_NO_THROW(state.decode(start));
    start[7] = 1;
    EXPECT_THROW(state.decode(start), std::runtime_error);
    start.pop_back();
    EXPECT_THROW(state.decode(start), std::runtime_error);
    return;
  }
  FAIL() << "no slot is stored in steps";
}

TEST(GoldenReader, RefusesAFileThatIsCutShort) {
  std::ifstream whole(steps_path("mlp"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  ASSERT_GT(bytes.size(), 1000u);
  for (const size_t size : {size_t{0}, size_t{100}, bytes.size() / 2, bytes.size() - 9}) {
    const std::string path = testing::TempDir() + "short.steps.gz";
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
    EXPECT_THROW(read_training(path), std::runtime_error) << size;
  }
  EXPECT_THROW(read_training(testing::TempDir() + "missing.steps.gz"), std::runtime_error);
}

}  // namespace
}  // namespace vf::golden
