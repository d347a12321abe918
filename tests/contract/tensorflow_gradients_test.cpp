// Outputs and gradients of single ops against real TensorFlow's, of tests/golden/gradients.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gradient_cases.h"
#include "varflow/gradients.h"
#include "varflow/initializers.h"
#include "varflow/op.h"
#include "varflow/session.h"

namespace vf::testing {
namespace {

// Ops with cases that Varflow does not have. The set may only shrink.
const std::set<std::string> kNotRegistered = {"DepthwiseConv2dNative", "GatherNd",  "InTopKV2", "LRN",
                                              "MatrixBandPart",        "ScatterNd", "TopKV2"};

const std::vector<GradientCase>& cases() {
  static const std::vector<GradientCase> all = read_gradient_cases(VARFLOW_TEST_DATA "/gradients.txt");
  return all;
}

// Integers and booleans are equal; floats to 1e-5 (doubles 1e-13) of themselves, and where terms cancel to a fifth of
// that of the tensor's largest.
void compare(const std::string& what, const Tensor& expected, const Tensor& got) {
  ASSERT_EQ(got.dtype(), expected.dtype()) << what;
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  const int64_t n = expected.num_elements();
  double largest = 0;
  for (int64_t i = 0; i < n; ++i)
    if (std::isfinite(expected.number(i))) largest = std::max(largest, std::abs(expected.number(i)));
  const double relative = expected.dtype() == DType::Float ? 1e-5 : expected.dtype() == DType::Double ? 1e-13 : 0;
  for (int64_t i = 0; i < n; ++i) {
    const double e = expected.number(i);
    const double g = got.number(i);
    if (std::isnan(e)) {
      EXPECT_TRUE(std::isnan(g)) << what << ", element " << i << ": " << g;
    } else if (std::isinf(e)) {
      EXPECT_EQ(g, e) << what << ", element " << i;
    } else {
      EXPECT_NEAR(g, e, relative * std::max(std::abs(e), largest / 5)) << what << ", element " << i;
    }
  }
}

class TensorFlowGradients : public ::testing::TestWithParam<GradientCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, TensorFlowGradients, ::testing::ValuesIn(cases()),
                         [](const auto& of) { return of.param.name; });

// One case as nodes: numbers that give shapes are constants, the rest is fed.
struct Built {
  Graph graph;
  std::vector<Output> inputs;
  Feeds feeds;
  Node* node = nullptr;

  explicit Built(const GradientCase& c) {
    const auto floating = [](const NamedTensor& t) { return is_floating(t.value.dtype()); };
    const bool any_floating = std::any_of(c.inputs.begin(), c.inputs.end(), floating);
    NodeBuilder builder(graph, c.op);
    for (const auto& [name, value] : c.attrs) builder.attr(name, value);
    size_t next = 0;
    for (const ArgSpec& arg : graph.registry().find(c.op)->inputs) {
      std::vector<Operand> operands;
      for (; next < c.inputs.size() && c.inputs[next].name == arg.name; ++next) {
        const Tensor& value = c.inputs[next].value;
        const bool parameter = any_floating && is_integer(value.dtype());
        inputs.push_back(parameter ? constant(graph, value) : placeholder(graph, value.dtype(), value.shape()));
        if (!parameter) feeds.emplace_back(inputs.back(), value);
        operands.emplace_back(inputs.back());
      }
      if (arg.number_attr.empty())
        builder.input(operands.at(0));
      else
        builder.inputs(operands);
    }
    node = builder.build();
  }
};

TEST_P(TensorFlowGradients, AreOurs) {
  const GradientCase& c = GetParam();
  if (!OpRegistry::standard().find(c.op)) {
    EXPECT_TRUE(kNotRegistered.count(c.op)) << c.op << " is not registered";
    GTEST_SKIP() << c.op << " is not registered";
  }
  Built built(c);
  Session session(built.graph, {.threads = 1});
  Fetches outputs;
  for (size_t i = 0; i < c.outputs.size(); ++i) outputs.emplace_back(Output(built.node, static_cast<int>(i)));
  const std::vector<Tensor> values = session.run(outputs, built.feeds);
  for (size_t i = 0; i < c.outputs.size(); ++i)
    compare("output " + c.outputs[i].name + " " + std::to_string(i), c.outputs[i].value, values[i]);
  if (c.gradients.empty()) return;

  // Gradients belong to the outputs of their names, one after the other.
  std::vector<Output> ys;
  std::vector<Output> grad_ys;
  size_t at = 0;
  for (const NamedTensor& gradient : c.output_gradients) {
    while (at < c.outputs.size() && c.outputs[at].name != gradient.name) ++at;
    ASSERT_LT(at, c.outputs.size()) << gradient.name;
    ys.emplace_back(built.node, static_cast<int>(at++));
    grad_ys.push_back(constant(built.graph, gradient.value));
  }
  std::vector<Output> xs;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (is_floating(c.inputs[i].value.dtype())) xs.push_back(built.inputs[i]);
  ASSERT_EQ(xs.size(), c.gradients.size());
  const std::vector<Output> ours = gradients(ys, xs, grad_ys);
  for (size_t i = 0; i < xs.size(); ++i) {
    const std::string what = "gradient " + c.gradients[i].name + " " + std::to_string(i);
    EXPECT_EQ(static_cast<bool>(ours[i]), c.gradients[i].value.valid()) << what;
    if (ours[i] && c.gradients[i].value.valid()) compare(what, c.gradients[i].value, session.run(ours[i], built.feeds));
  }
}

TEST(TensorFlowGradientCases, AreAsManyAsRecorded) {
  EXPECT_EQ(cases().size(), 156U);
  const auto skipped = std::count_if(cases().begin(), cases().end(),
                                     [](const GradientCase& c) { return !OpRegistry::standard().find(c.op); });
  EXPECT_LE(skipped, 7) << "cases are skipped that were not";
  for (const GradientCase& c : cases()) EXPECT_FALSE(c.no_gradient) << c.name << " is not looked at";
}

}  // namespace
}  // namespace vf::testing
