#include "cpu/reduce.h"

#include <gtest/gtest.h>

#include <limits>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

Tensor reduce(const ReducePlan& plan, const Tensor& x, int threads) {
  Tensor y(x.dtype(), plan.shape());
  std::vector<char> scratch(plan.scratch_bytes() + 64);
  void* aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
  plan.run(x.raw(), y.raw(), plan.scratch_bytes() ? aligned : nullptr, threads);
  return y;
}

// Index of the result that element `index` of `shape` goes to.
int64_t result_index(const Shape& shape, const std::vector<int64_t>& axes, int64_t index) {
  int64_t at = 0;
  int64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int64_t coordinate = index % shape[i];
    index /= shape[i];
    bool joined = false;
    for (int64_t axis : axes) joined |= axis == i || axis + shape.rank() == i;
    if (joined) continue;
    at += coordinate * stride;
    stride *= shape[i];
  }
  return at;
}

std::vector<long double> exact(ReduceOp op, const Tensor& x, const std::vector<int64_t>& axes, int64_t results) {
  std::vector<long double> y(static_cast<size_t>(results), op == ReduceOp::Prod || op == ReduceOp::All ? 1.0L
                                                           : op == ReduceOp::Max                       ? -INFINITY
                                                           : op == ReduceOp::Min                       ? INFINITY
                                                                                                       : 0.0L);
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    long double& value = y[static_cast<size_t>(result_index(x.shape(), axes, i))];
    const long double v = x.number(i);
    switch (op) {
      case ReduceOp::Sum:
      case ReduceOp::Mean: value += v; break;
      case ReduceOp::Prod: value *= v; break;
      case ReduceOp::Max:
      case ReduceOp::Any: value = std::fmax(value, v); break;
      case ReduceOp::Min:
      case ReduceOp::All: value = std::fmin(value, v); break;
    }
  }
  if (op == ReduceOp::Mean)
    for (long double& value : y)
      value /= static_cast<long double>(x.num_elements()) / static_cast<long double>(results);
  return y;
}

struct Case {
  Shape shape;
  std::vector<int64_t> axes;
  Shape kept, dropped;
};

const Case kCases[] = {
    {{}, {}, {}, {}},
    {{1}, {0}, {1}, {}},
    {{17}, {0}, {1}, {}},
    {{17}, {}, {17}, {17}},
    {{1000}, {-1}, {1}, {}},
    {{100003}, {0}, {1}, {}},
    {{2, 40001}, {1}, {2, 1}, {2}},
    {{3, 5, 2, 7}, {0, 1, 2, 3}, {1, 1, 1, 1}, {}},
    {{100, 10}, {1}, {100, 1}, {100}},
    {{300, 131}, {1}, {300, 1}, {300}},
    {{300, 131}, {0}, {1, 131}, {131}},
    {{50000, 3}, {0}, {1, 3}, {3}},
    {{40000, 1}, {0}, {1, 1}, {1}},
    {{4, 17, 19, 64}, {0, 1, 2}, {1, 1, 1, 64}, {64}},
    {{7, 1300}, {0}, {1, 1300}, {1300}},
    {{400, 600}, {0}, {1, 600}, {600}},
    {{2, 3, 4, 100, 6}, {0, 2, 4}, {1, 3, 1, 100, 1}, {3, 100}},
    {{5, 6, 1000}, {0, 2}, {1, 6, 1}, {6}},
    {{5, 60, 11}, {1}, {5, 1, 11}, {5, 11}},
    {{2, 3, 4, 5, 6}, {0, 2, 4}, {1, 3, 1, 5, 1}, {3, 5}},
    {{2, 3, 4, 5, 6}, {1, -2}, {2, 1, 4, 1, 6}, {2, 4, 6}},
    {{3, 1, 5}, {1}, {3, 1, 5}, {3, 5}},
    {{0, 3}, {1}, {0, 1}, {0}},
    {{4, 0}, {1}, {4, 1}, {4}},
};

TEST(ReducePlan, AgreesWithLongDouble) {
  for (const Case& c : kCases) {
    for (ReduceOp op : {ReduceOp::Sum, ReduceOp::Mean, ReduceOp::Max, ReduceOp::Min, ReduceOp::Any, ReduceOp::All}) {
      for (DType dtype : kNumberTypes) {
        const bool logical = op == ReduceOp::Any || op == ReduceOp::All;
        if (logical != (dtype == DType::Bool)) continue;
        const bool common = dtype == DType::Float || dtype == DType::Half || logical;
        if (!common && c.shape.num_elements() > 40000) continue;
        const Tensor x = random_tensor(dtype, c.shape, 11);
        const ReducePlan plan(op, dtype, c.shape, c.axes, false);
        ASSERT_EQ(plan.shape(), c.dropped);
        ASSERT_EQ(ReducePlan(op, dtype, c.shape, c.axes, true).shape(), c.kept);
        const Tensor y = reduce(plan, x, 1);
        ASSERT_EQ(first_difference(y, reduce(plan, x, 2)), -1) << c.shape.str() << dtype_name(dtype);
        for (Isa isa : supported_isas())
          ASSERT_EQ(first_difference(y, reduce(ReducePlan(op, dtype, c.shape, c.axes, false, isa), x, 1)), -1)
              << c.shape.str() << dtype_name(dtype) << isa_name(isa);
        if (x.num_elements() == 0) continue;
        const std::vector<long double> wanted = exact(op, x, c.axes, y.num_elements());
        const double joined = static_cast<double>(x.num_elements() / y.num_elements());
        for (int64_t i = 0; i < y.num_elements(); ++i) {
          const long double value = wanted[static_cast<size_t>(i)];
          const std::string where = c.shape.str() + dtype_name(dtype) + " op " + std::to_string(static_cast<int>(op));
          if (is_integer(dtype)) {
            if (dtype_size(dtype) < 4 && (op == ReduceOp::Sum || op == ReduceOp::Mean) && joined > 10) continue;
            ASSERT_EQ(y.number(i), static_cast<double>(std::trunc(value))) << where;
          } else if (op == ReduceOp::Sum || op == ReduceOp::Mean) {
            // Sums of values up to 4: a pairwise tree is off by a few units of the partial sums; half rounds at the
            // end.
            const double scale = op == ReduceOp::Sum ? std::sqrt(joined) * 4 : 4 / std::sqrt(joined);
            const double partial = epsilon(dtype == DType::Double ? DType::Double : DType::Float) * 8 * scale;
            ASSERT_NEAR(y.number(i), static_cast<double>(value),
                        partial + epsilon(dtype) * std::fabs(static_cast<double>(value)))
                << where;
          } else {
            ASSERT_EQ(y.number(i), static_cast<double>(value)) << where;
          }
        }
      }
    }
  }
}

TEST(ReducePlan, Multiplies) {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const int64_t last[] = {1};
  const Tensor y = reduce(ReducePlan(ReduceOp::Prod, DType::Float, {2, 3}, last, false), x, 1);
  EXPECT_EQ(y.number(0), 6);
  EXPECT_EQ(y.number(1), 120);
  const Tensor ones = Tensor::of<int32_t>({2, 40}, std::vector<int32_t>(80, 2));
  EXPECT_EQ(reduce(ReducePlan(ReduceOp::Prod, DType::Int32, {2, 40}, last, false), ones, 1).number(0),
            0);  // 2^40 wraps
}

TEST(ReducePlan, WrapsIntegers) {
  const Tensor x = Tensor::vector<int32_t>({std::numeric_limits<int32_t>::max(), 1});
  const int64_t axis[] = {0};
  EXPECT_EQ(reduce(ReducePlan(ReduceOp::Sum, DType::Int32, {2}, axis, false), x, 1).item<int32_t>(),
            std::numeric_limits<int32_t>::min());
}

// Values of TensorFlow 2.21, printed by tests/golden/elementwise_edges.py.
TEST(ReducePlan, AgreesWithTensorFlowAtTheEdges) {
  const int64_t axis[] = {0};
  const auto of = [&](ReduceOp op, const Tensor& x) {
    return reduce(ReducePlan(op, x.dtype(), x.shape(), axis, false), x, 1).number(0);
  };
  for (int at : {0, 3, 70, 99}) {
    Tensor x = random_tensor(DType::Float, {100}, 4);
    x.data<float>()[at] = NAN;
    EXPECT_TRUE(std::isnan(of(ReduceOp::Max, x)));
    EXPECT_TRUE(std::isnan(of(ReduceOp::Min, x)));
  }
  EXPECT_EQ(of(ReduceOp::Max, Tensor(DType::Float, {0})), -INFINITY);
  EXPECT_EQ(of(ReduceOp::Min, Tensor(DType::Float, {0})), INFINITY);
  EXPECT_TRUE(std::isnan(of(ReduceOp::Mean, Tensor(DType::Float, {0}))));
  EXPECT_EQ(of(ReduceOp::Prod, Tensor(DType::Float, {0})), 1);
  EXPECT_EQ(of(ReduceOp::Max, Tensor(DType::Int32, {0})), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(of(ReduceOp::Mean, Tensor::vector<int32_t>({-3, -4, 0})), -2);
}

TEST(ReducePlan, IsAccurateOverMillions) {
  const int64_t n = 1 << 22;
  Tensor x(DType::Float, {n});
  std::fill_n(x.data<float>(), n, 0.1F);
  const int64_t axis[] = {0};
  const float sum = reduce(ReducePlan(ReduceOp::Sum, DType::Float, {n}, axis, false), x, 2).item<float>();
  EXPECT_NEAR(sum, 0.1F * static_cast<double>(n), 0.3);  // one after the other: off by 10,000 and more
}

TEST(ReducePlan, RefusesWrongAxesAndTypes) {
  const int64_t axis[] = {2};
  EXPECT_THROW(ReducePlan(ReduceOp::Sum, DType::Float, {2, 3}, axis, false), Error);
  EXPECT_THROW(ReducePlan(ReduceOp::Sum, DType::Bool, {2, 3}, {}, false), Error);
  EXPECT_THROW(ReducePlan(ReduceOp::Any, DType::Float, {2, 3}, {}, false), Error);
}

TEST(ArgMax, FindsTheFirst) {
  struct {
    int64_t outer, count, inner;
  } const shapes[] = {{1, 1, 1}, {1, 70000, 1}, {50, 1000, 1}, {9, 10, 1}, {3, 7, 5}, {2, 300, 700}};
  for (const auto& s : shapes) {
    for (DType dtype : kNumberTypes) {
      const Tensor x = random_tensor(dtype, {s.outer, s.count, s.inner}, 12);
      for (Isa isa : supported_isas()) {
        for (int threads : {1, isa == active_isa() && dtype == DType::Float ? 2 : 1}) {
          Tensor most(DType::Int64, {s.outer, s.inner});
          Tensor least(DType::Int32, {s.outer, s.inner});
          arg_max(dtype, x.raw(), DType::Int64, most.raw(), s.outer, s.count, s.inner, threads, isa);
          arg_min(dtype, x.raw(), DType::Int32, least.raw(), s.outer, s.count, s.inner, threads, isa);
          for (int64_t i = 0; i < most.num_elements(); ++i) {
            const auto at = [&](int64_t k) { return x.number((i / s.inner * s.count + k) * s.inner + i % s.inner); };
            int64_t max = 0;
            int64_t min = 0;
            for (int64_t k = 1; k < s.count; ++k) {
              if (at(k) > at(max)) max = k;
              if (at(k) < at(min)) min = k;
            }
            ASSERT_EQ(most.number(i), static_cast<double>(max)) << dtype_name(dtype) << s.count << isa_name(isa);
            ASSERT_EQ(least.number(i), static_cast<double>(min)) << dtype_name(dtype) << s.count << isa_name(isa);
          }
        }
      }
    }
  }
}

// Values of TensorFlow 2.21, printed by tests/golden/elementwise_edges.py.
TEST(ArgMax, PassesOverNaN) {
  const auto check = [](const std::vector<float>& x, int most, int least) {
    const auto n = static_cast<int64_t>(x.size());
    std::vector<float> pairs;  // the same values as columns
    for (float v : x) pairs.insert(pairs.end(), {v, v});
    int32_t row = -1;
    int32_t columns[2] = {-1, -1};
    arg_max(DType::Float, x.data(), DType::Int32, &row, 1, n, 1, 1);
    arg_max(DType::Float, pairs.data(), DType::Int32, columns, 1, n, 2, 1);
    EXPECT_EQ(row, most);
    EXPECT_EQ(columns[1], most);
    arg_min(DType::Float, x.data(), DType::Int32, &row, 1, n, 1, 1);
    arg_min(DType::Float, pairs.data(), DType::Int32, columns, 1, n, 2, 1);
    EXPECT_EQ(row, least);
    EXPECT_EQ(columns[0], least);
  };
  check({1, NAN, 3}, 2, 0);
  check({NAN, 1, 3}, 2, 1);
  check({1, 3, 3, NAN}, 1, 0);
  check({NAN, NAN}, 0, 0);
  check({3, 3}, 0, 0);
}

}  // namespace
}  // namespace vf::cpu
