// Gradients of every op against central differences in double.
#include "varflow/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "contract/sample.h"

namespace vf::contract {
namespace {

// Inputs that have no gradient, though the result depends on them, as in TensorFlow.
const std::set<std::pair<std::string, size_t>> kNoGradient{
    {"PadV2", 2},  // the value of the border
};

// Ops whose rule is TensorFlow's, but no derivative at these inputs.
const std::map<std::string, std::string> kNotHere{
    {"FusedBatchNormV3", "gradients flow from y alone, not from the statistics"},
    {"SoftmaxCrossEntropyWithLogits", "the rule holds for labels that sum to 1"},
};

std::vector<const OpDef*> differentiable_ops() {
  std::vector<const OpDef*> ops;
  for (const auto& op : OpRegistry::standard().ops())
    if (op->gradient && !op->examples.empty()) ops.push_back(op.get());
  return ops;
}

std::string printed(const testing::TestParamInfo<const OpDef*>& info) { return info.param->name; }

// Gradients of sum_i weights_i * output_i by the op's rule, one for each input; invalid where there is none.
class Gradients : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }

  static std::vector<Tensor> weights_for(const std::vector<Tensor>& outputs, DType dtype) {
    std::mt19937_64 random(99);
    std::vector<Tensor> weights;
    for (const Tensor& y : outputs) {
      Tensor w(DType::Double, y.shape());
      for (int64_t i = 0; i < w.num_elements(); ++i)
        w.data<double>()[i] = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
      weights.push_back(is_floating(y.dtype()) ? w.cast(is_floating(dtype) ? y.dtype() : dtype) : Tensor());
    }
    return weights;
  }

  std::vector<Tensor> by_rule(const Sample& s, const std::vector<Tensor>& weights, Source source) {
    Built b;
    build(b, op(), s, source);
    std::vector<Output> ys;
    std::vector<Output> grad_ys;
    for (size_t o = 0; o < weights.size(); ++o) {
      if (!weights[o].valid()) continue;
      ys.emplace_back(b.node, static_cast<int>(o));
      grad_ys.push_back(make(b.graph, "Const", {}, {{"dtype", weights[o].dtype()}, {"value", weights[o]}}));
    }
    const std::vector<Output> found = gradients(ys, b.inputs, grad_ys);
    Fetches fetches;
    for (const Output& g : found)
      if (g) fetches.emplace_back(g);
    Session session(b.graph, {.threads = 1});
    const std::vector<Tensor> values = session.run(fetches, b.feeds);
    std::vector<Tensor> result;
    size_t next = 0;
    for (const Output& g : found) result.push_back(g ? values[next++] : Tensor());
    return result;
  }
};

double weighted(const std::vector<Tensor>& outputs, const std::vector<Tensor>& weights) {
  double sum = 0;
  for (size_t o = 0; o < outputs.size(); ++o)
    for (int64_t i = 0; weights[o].valid() && i < outputs[o].num_elements(); ++i)
      sum += weights[o].number(i) * outputs[o].number(i);
  return sum;
}

TEST_P(Gradients, EqualFiniteDifferences) {
  if (const auto it = kNotHere.find(op().name); it != kNotHere.end()) GTEST_SKIP() << it->second;
  for (size_t n = 0; n < op().examples.size(); ++n) {
    const Example& e = op().examples[n];
    if (!e.gradient) continue;
    SCOPED_TRACE("example " + std::to_string(n));
    DType dtype = DType::Double;
    auto s = make_sample(op(), e, dtype, 5);
    std::vector<Tensor> outputs;
    try {
      if (s) outputs = run(op(), *s, Source::Feeds);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Code::Unimplemented) << error.what();
      s.reset();
    }
    if (!s) {  // no kernel in double
      dtype = DType::Float;
      s = make_sample(op(), e, dtype, 5);
      outputs = run(op(), *s, Source::Feeds);
    }
    const double step = dtype == DType::Double ? 1e-5 : 1e-2;
    const double tolerance = dtype == DType::Double ? 1e-7 : 1e-2;
    const std::vector<Tensor> weights = weights_for(outputs, dtype);
    const bool any = std::any_of(weights.begin(), weights.end(), [](const Tensor& w) { return w.valid(); });
    if (!any) continue;  // bool or integer results
    const std::vector<Tensor> rule = by_rule(*s, weights, Source::Feeds);
    for (size_t i = 0; i < s->inputs.size(); ++i) {
      Tensor& x = s->inputs[i];
      if (x.dtype() != dtype || kNoGradient.count({op().name, i})) continue;
      SCOPED_TRACE("input " + std::to_string(i));
      if (rule[i].valid()) {
        ASSERT_EQ(rule[i].shape(), x.shape());
      }
      const Tensor saved = x;
      for (int64_t k = 0; k < x.num_elements(); ++k) {
        const auto moved = [&](double by) {
          Tensor wide = saved.cast(DType::Double).clone();
          wide.data<double>()[k] += by;
          x = wide.cast(dtype);
          return weighted(run(op(), *s, Source::Feeds), weights);
        };
        const double numeric = (moved(step) - moved(-step)) / (2 * step);
        const double exact = rule[i].valid() ? rule[i].number(k) : 0;
        EXPECT_NEAR(exact, numeric, tolerance * std::max(1.0, std::abs(numeric))) << "element " << k;
      }
      x = saved;
    }
    // Nothing in a gradient may rest on static shapes.
    const std::vector<Tensor> dynamic = by_rule(*s, weights, Source::UnknownShapes);
    for (size_t i = 0; i < rule.size(); ++i) {
      ASSERT_EQ(rule[i].valid(), dynamic[i].valid());
      if (rule[i].valid()) {
        EXPECT_LE(distance(dynamic[i], rule[i]), 16 * epsilon(dtype)) << "input " << i;
      }
    }
  }
}

TEST_P(Gradients, HaveTheInputsShapesWhereThereIsNothing) {
  for (const Example& e : op().examples) {
    if (!e.gradient) continue;
    std::set<int64_t> sizes;
    for (const ExampleInput& in : e.inputs)
      for (int64_t d : in.shape.dims())
        if (!in.value.valid() && d > 1) sizes.insert(d);
    for (const int64_t empty : sizes) {
      const auto s = make_sample(op(), e, DType::Float, 6, [&](int64_t d) { return d == empty ? 0 : d; });
      std::vector<Tensor> outputs;
      try {
        outputs = run(op(), *s, Source::Feeds);
      } catch (const Error&) {
        continue;  // no such shape
      }
      SCOPED_TRACE(std::to_string(empty) + " -> 0");
      const std::vector<Tensor> weights = weights_for(outputs, DType::Float);
      const bool any = std::any_of(weights.begin(), weights.end(), [](const Tensor& w) { return w.valid(); });
      if (!any) continue;
      const std::vector<Tensor> rule = by_rule(*s, weights, Source::Feeds);
      for (size_t i = 0; i < rule.size(); ++i)
        if (rule[i].valid()) {
          EXPECT_EQ(rule[i].shape(), s->inputs[i].shape());
        }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, Gradients, testing::ValuesIn(differentiable_ops()), printed);

}  // namespace
}  // namespace vf::contract
