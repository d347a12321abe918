// The dense optimizer runs of tests/golden/golden_random.json, made by real TensorFlow (make_golden_random.py).
#include <gtest/gtest.h>

#include <vector>

#include "cpu/optimizers.h"
#include "golden_json.h"

namespace vf::cpu {
namespace {

using testing::Json;

std::vector<float> floats(const Json& array) {
  const std::vector<double> numbers = array.numbers();
  return {numbers.begin(), numbers.end()};
}

float attribute(const Json& attrs, const std::string& name, double otherwise) {
  return static_cast<float>(attrs.has(name) ? attrs.at(name).number() : otherwise);
}

// Plays the five steps of one case; the variable after each, and the slots at the end, must be TensorFlow's bits.
void replay(const Json& inputs, const Json& c) {
  const Json attrs = c.at("attrs");
  const std::string op = c.at("op").text();
  const auto rate = static_cast<float>(inputs.at("learning_rate").number());
  std::vector<float> w = floats(inputs.at("dense").at("var"));
  const auto n = static_cast<int64_t>(w.size());
  std::vector<float> first(w.size());
  std::vector<float> second(w.size());
  const float beta1 = attribute(attrs, "beta1", 0.9);
  const float beta2 = attribute(attrs, "beta2", 0.999);
  float beta1_power = beta1;
  float beta2_power = beta2;
  for (size_t step = 0; step < c.at("runs").size(); ++step) {
    const std::vector<float> g = floats(inputs.at("dense").at("grads").at(step));
    if (op == "GradientDescentOptimizer") {
      gradient_descent(DType::Float, w.data(), g.data(), rate, n, 1);
    } else if (op == "MomentumOptimizer") {
      const bool nesterov = attrs.has("use_nesterov") && attrs.at("use_nesterov").boolean();
      momentum_update(DType::Float, w.data(), first.data(), g.data(), rate, attribute(attrs, "momentum", 0), nesterov,
                      n, 1);
    } else {
      const Adam adam{rate, beta1, beta2, attribute(attrs, "epsilon", 1e-8), beta1_power, beta2_power};
      adam_update(DType::Float, w.data(), first.data(), second.data(), g.data(), adam, n, 1);
      beta1_power *= beta1;
      beta2_power *= beta2;
    }
    EXPECT_EQ(w, floats(c.at("runs").at(step))) << op << " step " << step << ' ' << attrs.dump();
  }
  const Json slots = c.at("slots_after_5");
  const auto check = [&](const char* slot, const std::vector<float>& ours) {
    if (slots.has(slot)) {
      EXPECT_EQ(ours, floats(slots.at(slot))) << op;
    }
  };
  check("momentum", first);
  check("m", first);
  check("v", second);
}

TEST(OptimizersGolden, GiveTensorFlowsBits) {
  const Json golden = Json::golden("golden_random.json");
  int replayed = 0;
  for (const Json& c : golden.at("cases").items()) {
    if (c.at("kind").text() != "optimizer" || c.at("form").text() != "dense") continue;
    if (c.at("dtype").text() != "float32") continue;
    const std::string op = c.at("op").text();
    if (op != "GradientDescentOptimizer" && op != "MomentumOptimizer" && op != "AdamOptimizer") continue;
    replay(golden.at("optimizer_inputs"), c);
    ++replayed;
  }
  EXPECT_GE(replayed, 5);
}

}  // namespace
}  // namespace vf::cpu
