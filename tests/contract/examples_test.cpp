// Runs every op's examples in many ways that must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "contract/sample.h"
#include "cpu/elementwise.h"

namespace vf::contract {
namespace {

// Fast kernels sum in other orders, in float; sums of up to 300,000 products differ more.
constexpr double kFastTolerance = 1e-5;
constexpr double kLongSumTolerance = 1e-3;
// Larger variants of an example are left out.
constexpr int64_t kMostElements = 1 << 21;

// Of the outputs, by the shape rule; 0 where it refuses the shapes.
int64_t output_elements(const OpDef& op, const Sample& s) {
  Built b;
  build(b, op, s, Source::Feeds);
  int64_t n = 0;
  for (const Output& o : b.outputs()) n += std::max<int64_t>(o.shape().num_elements(), 0);
  return n;
}

// Whether the shape rule leaves the shape of an output to the run.
bool shape_of_data(const Node& node, const Sample& s, size_t output) {
  std::vector<Shape> shapes;
  for (const Tensor& t : s.inputs) shapes.push_back(t.shape());
  const std::vector<const Tensor*> constants(s.inputs.size(), nullptr);
  std::vector<Shape> outputs(static_cast<size_t>(node.num_outputs()));
  ShapeContext c(node, shapes, constants, outputs);
  node.op().shape(c);
  return c.dynamic(static_cast<int>(output));
}

std::string printed(const testing::TestParamInfo<const OpDef*>& info) { return info.param->name; }

std::vector<const OpDef*> ops_with_examples() {
  std::vector<const OpDef*> ops;
  for (const auto& op : OpRegistry::standard().ops())
    if (!op->examples.empty()) ops.push_back(op.get());
  return ops;
}

class Examples : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }

  template <class F>
  void each(F f) {
    for (size_t i = 0; i < op().examples.size(); ++i) {
      SCOPED_TRACE("example " + std::to_string(i));
      f(op().examples[i]);
    }
  }

  void expect_same(const std::vector<Tensor>& got, const std::vector<Tensor>& want, double tolerance = 0) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t o = 0; o < got.size(); ++o) {
      if (tolerance == 0) {
        EXPECT_TRUE(same_bits(got[o], want[o])) << "output " << o << ": " << got[o].str() << " and " << want[o].str();
      } else {
        EXPECT_LE(distance(got[o], want[o]), tolerance) << "output " << o;
      }
    }
  }
};

TEST_P(Examples, StaticShapesHoldForResults) {
  each([&](const Example& e) {
    const auto s = make_sample(op(), e, DType::Float, 1);
    ASSERT_TRUE(s);
    const std::vector<Tensor> results = run(op(), *s, Source::Feeds);
    for (const Source source : {Source::Feeds, Source::UnknownShapes, Source::EverythingFed}) {
      Built b;
      build(b, op(), *s, source);
      for (size_t o = 0; o < results.size(); ++o) {
        const Shape& known = b.node->output_shape(static_cast<int>(o));
        EXPECT_TRUE(known.compatible(results[o].shape())) << known.str() << " and " << results[o].shape().str();
        if (source == Source::Feeds && !shape_of_data(*b.node, *s, o)) {
          EXPECT_TRUE(known.fully_defined()) << known.str();
        }
      }
    }
    // Each size unknown by itself.
    for (size_t i = 0; i < s->inputs.size(); ++i) {
      for (int d = 0; s->random[i] && d < s->inputs[i].shape().rank(); ++d) {
        Built b;
        build(b, op(), *s, Source::Feeds);
        std::vector<Shape> shapes;
        std::vector<const Tensor*> constants;
        for (size_t k = 0; k < s->inputs.size(); ++k) {
          shapes.push_back(s->inputs[k].shape());
          constants.push_back(s->random[k] ? nullptr : &s->inputs[k]);
        }
        shapes[i].set_dim(d, Shape::kUnknown);
        std::vector<Shape> outputs(results.size());
        ShapeContext c(*b.node, shapes, constants, outputs);
        op().shape(c);
        for (size_t o = 0; o < results.size(); ++o)
          EXPECT_TRUE(outputs[o].compatible(results[o].shape())) << outputs[o].str() << " for " << shapes[i].str();
      }
    }
  });
}

TEST_P(Examples, WaysToRunAgree) {
  if (op().random) GTEST_SKIP() << "draws numbers";
  each([&](const Example& e) {
    const auto s = make_sample(op(), e, DType::Float, 2);
    const std::vector<Tensor> results = run(op(), *s, Source::Feeds);
    for (const Source source : {Source::UnknownShapes, Source::EverythingFed, Source::Computed}) {
      SCOPED_TRACE("source " + std::to_string(static_cast<int>(source)));
      expect_same(run(op(), *s, source), results);
    }
    if (op().reference && !op().stateful)
      expect_same(results, run_kernel(op(), op().reference, *s), op().fast ? kFastTolerance : 0);
  });
}

// The example at sizes 0, 1, odd and large, where its shapes allow it.
TEST_P(Examples, Scale) {
  if (op().random) GTEST_SKIP() << "draws numbers";
  int ran = 0;
  each([&](const Example& e) {
    std::set<int64_t> sizes;
    for (const ExampleInput& in : e.inputs)
      for (int64_t d : in.shape.dims())
        if (!in.value.valid() && d > 1) sizes.insert(d);
    for (const int64_t changed : sizes) {
      for (const int64_t to : {int64_t{0}, int64_t{1}, int64_t{7}, int64_t{259}, 2 * cpu::kGrain + 1}) {
        SCOPED_TRACE(std::to_string(changed) + " -> " + std::to_string(to));
        int64_t inputs = 1;
        for (const ExampleInput& in : e.inputs) {
          int64_t n = 1;
          for (int64_t d : in.shape.dims()) n *= d == changed ? to : d;
          inputs = std::max(inputs, n);
        }
        if (inputs > kMostElements) continue;
        const auto s = make_sample(op(), e, DType::Float, 3, [&](int64_t d) { return d == changed ? to : d; });
        std::vector<Tensor> one;
        try {
          if (output_elements(op(), *s) > kMostElements) continue;
          one = run(op(), *s, Source::Feeds, 1);
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::InvalidArgument) << error.what();  // the shapes do not fit together any more
          continue;
        }
        ++ran;
        const double tolerance = !op().fast ? 0 : to > 1000 ? kLongSumTolerance : kFastTolerance;
        expect_same(run(op(), *s, Source::Feeds, 2), one, tolerance);
        if (op().reference) expect_same(one, run_kernel(op(), op().reference, *s), tolerance);
      }
    }
  });
  RecordProperty("variants", ran);
}

// Other floats give what double gives, rounded.
TEST_P(Examples, DtypesAgree) {
  if (op().random) GTEST_SKIP() << "draws numbers";
  each([&](const Example& e) {
    for (const DType dtype : {DType::Float, DType::Half, DType::BFloat16}) {
      SCOPED_TRACE(dtype_name(dtype));
      auto s = make_sample(op(), e, dtype, 4);
      if (!s) continue;
      std::vector<Tensor> narrow;
      try {
        narrow = run(op(), *s, Source::Feeds);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::Unimplemented) << error.what();
        continue;
      }
      for (Tensor& t : s->inputs)
        if (t.dtype() == dtype) t = t.cast(DType::Double);
      std::vector<Tensor> wide;
      try {
        wide = run(op(), *s, Source::Feeds);
      } catch (const Error&) {
        continue;  // an attribute fixes the dtype, or there is no double
      }
      for (size_t o = 0; o < narrow.size(); ++o)
        if (is_floating(narrow[o].dtype()) && wide[o].dtype() == DType::Double) {
          EXPECT_LE(distance(narrow[o], wide[o]), 16 * epsilon(dtype)) << narrow[o].str() << " and " << wide[o].str();
        }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Ops, Examples, testing::ValuesIn(ops_with_examples()), printed);

}  // namespace
}  // namespace vf::contract
