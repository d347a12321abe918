#include "cpu/softmax.h"

#include <gtest/gtest.h>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

const std::vector<DType> kTypes = {DType::Float, DType::Double, DType::Half, DType::BFloat16};

// Around the block of 1,024 values, and above the size that uses a second thread.
const std::vector<Shape> kShapes = {{0, 4},    {1, 1},    {3, 2},    {128, 10}, {5, 1000},
                                    {9, 1024}, {3, 1025}, {4, 5001}, {700, 33}};

struct Exact {
  std::vector<long double> shifted;  // x - max
  long double sum = 0;               // of exp(x - max)
};

Exact exact_row(const Tensor& x, int64_t row) {
  const int64_t columns = x.shape().dim(-1);
  long double max = -INFINITY;
  for (int64_t j = 0; j < columns; ++j) max = std::fmax(max, static_cast<long double>(x.number(row * columns + j)));
  Exact e;
  for (int64_t j = 0; j < columns; ++j) e.shifted.push_back(x.number(row * columns + j) - max);
  for (long double d : e.shifted) e.sum += std::exp(d);
  return e;
}

// One rounding to the type (half has subnormals within reach) after `ulps` of float's or double's precision.
double tolerance(DType dtype, double value, double ulps) {
  const double subnormal = dtype == DType::Half ? 0x1p-24 : 0;
  const double computed = dtype == DType::Double ? epsilon(DType::Double) : epsilon(DType::Float);
  return epsilon(dtype) * (std::fabs(value) + 1e-5) + subnormal + computed * ulps;
}

TEST(Softmax, AgreesWithLongDouble) {
  for (const Shape& shape : kShapes) {
    for (DType dtype : kTypes) {
      const Tensor x = random_tensor(dtype, shape, 21);
      Tensor y(dtype, shape);
      Tensor log_y(dtype, shape);
      softmax(dtype, x.raw(), y.raw(), shape[0], shape[1], 1);
      log_softmax(dtype, x.raw(), log_y.raw(), shape[0], shape[1], 1);
      for (int64_t r = 0; r < shape[0]; ++r) {
        const Exact e = exact_row(x, r);
        for (int64_t j = 0; j < shape[1]; ++j) {
          const long double d = e.shifted[static_cast<size_t>(j)];
          const auto p = static_cast<double>(std::exp(d) / e.sum);
          const auto log_p = static_cast<double>(d - std::log(e.sum));
          ASSERT_NEAR(y.number(r * shape[1] + j), p, tolerance(dtype, p, 3 * p)) << shape.str() << dtype_name(dtype);
          ASSERT_NEAR(log_y.number(r * shape[1] + j), log_p, tolerance(dtype, log_p, 3 + std::fabs(log_p)))
              << shape.str() << dtype_name(dtype);
        }
      }
    }
  }
}

TEST(CrossEntropy, SparseAgreesWithLongDouble) {
  for (const Shape& shape : kShapes) {
    for (DType dtype : kTypes) {
      const Tensor x = random_tensor(dtype, shape, 22);
      Tensor labels(DType::Int64, {shape[0]});
      for (int64_t r = 0; r < shape[0]; ++r) labels.data<int64_t>()[r] = r * 7919 % shape[1];
      const Tensor narrow = labels.cast(DType::Int32);
      Tensor loss(dtype, {shape[0]});
      Tensor loss_narrow(dtype, {shape[0]});
      Tensor backprop(dtype, shape);
      EXPECT_EQ(sparse_softmax_cross_entropy(dtype, DType::Int64, x.raw(), labels.raw(), loss.raw(), backprop.raw(),
                                             shape[0], shape[1], 1),
                -1);
      EXPECT_EQ(sparse_softmax_cross_entropy(dtype, DType::Int32, x.raw(), narrow.raw(), loss_narrow.raw(), nullptr,
                                             shape[0], shape[1], 1),
                -1);
      EXPECT_EQ(first_difference(loss, loss_narrow), -1);
      for (int64_t r = 0; r < shape[0]; ++r) {
        const Exact e = exact_row(x, r);
        const int64_t label = labels.data<int64_t>()[r];
        const auto wanted = static_cast<double>(std::log(e.sum) - e.shifted[static_cast<size_t>(label)]);
        ASSERT_NEAR(loss.number(r), wanted, tolerance(dtype, wanted, 4 + wanted)) << shape.str() << dtype_name(dtype);
        for (int64_t j = 0; j < shape[1]; ++j) {
          const auto p =
              static_cast<double>(std::exp(e.shifted[static_cast<size_t>(j)]) / e.sum) - (j == label ? 1 : 0);
          ASSERT_NEAR(backprop.number(r * shape[1] + j), p, tolerance(dtype, p, 3)) << shape.str() << dtype_name(dtype);
        }
      }
    }
  }
}

TEST(CrossEntropy, DenseAgreesWithLongDouble) {
  for (const Shape& shape : kShapes) {
    for (DType dtype : kTypes) {
      const Tensor x = random_tensor(dtype, shape, 23);
      const Tensor labels = random_tensor(dtype, shape, 24);  // any numbers, not only probabilities
      Tensor loss(dtype, {shape[0]});
      Tensor backprop(dtype, shape);
      softmax_cross_entropy(dtype, x.raw(), labels.raw(), loss.raw(), backprop.raw(), shape[0], shape[1], 1);
      for (int64_t r = 0; r < shape[0]; ++r) {
        const Exact e = exact_row(x, r);
        long double wanted = 0;
        long double scale = 0;
        for (int64_t j = 0; j < shape[1]; ++j) {
          const long double term =
              labels.number(r * shape[1] + j) * (std::log(e.sum) - e.shifted[static_cast<size_t>(j)]);
          wanted += term;
          scale += std::fabs(term);
          const double l = labels.number(r * shape[1] + j);
          const auto b = static_cast<double>(std::exp(e.shifted[static_cast<size_t>(j)]) / e.sum - l);
          ASSERT_NEAR(backprop.number(r * shape[1] + j), b, tolerance(dtype, b, 4 + std::fabs(l)))
              << shape.str() << dtype_name(dtype);
        }
        ASSERT_NEAR(loss.number(r), static_cast<double>(wanted),
                    tolerance(dtype, static_cast<double>(wanted), 4 + static_cast<double>(scale)))
            << shape.str() << dtype_name(dtype);
      }
    }
  }
}

TEST(Softmax, IsTheSameOnInstructionSetsThreadsAndInPlace) {
  for (const Shape& shape : kShapes) {
    for (DType dtype : kTypes) {
      const Tensor x = random_tensor(dtype, shape, 25);
      const Tensor labels = random_tensor(dtype, shape, 26);
      const auto all = [&](Isa isa, int threads) {
        Tensor y(dtype, {4, shape[0], shape[1]});
        const size_t bytes = x.bytes();
        char* out = static_cast<char*>(y.raw());
        for (int i = 0; i < 4; ++i)
          if (bytes) std::memcpy(out + i * bytes, x.raw(), bytes);  // in place
        Tensor zeros = Tensor::zeros(DType::Int32, {shape[0]});
        softmax(dtype, out, out, shape[0], shape[1], threads, isa);
        log_softmax(dtype, out + bytes, out + bytes, shape[0], shape[1], threads, isa);
        sparse_softmax_cross_entropy(dtype, DType::Int32, out + 2 * bytes, zeros.raw(), nullptr, out + 2 * bytes,
                                     shape[0], shape[1], threads, isa);
        softmax_cross_entropy(dtype, out + 3 * bytes, labels.raw(), nullptr, out + 3 * bytes, shape[0], shape[1],
                              threads, isa);
        return y;
      };
      const Tensor expected = all(supported_isas().front(), 1);
      for (Isa isa : supported_isas())
        ASSERT_EQ(first_difference(all(isa, 1), expected), -1) << shape.str() << dtype_name(dtype) << isa_name(isa);
      ASSERT_EQ(first_difference(all(active_isa(), 2), expected), -1) << shape.str() << dtype_name(dtype);
      if (shape[0] == 0) continue;
      Tensor apart(dtype, shape);
      softmax(dtype, x.raw(), apart.raw(), shape[0], shape[1], 2);
      ASSERT_EQ(std::memcmp(apart.raw(), expected.raw(), apart.bytes()), 0) << shape.str() << dtype_name(dtype);
    }
  }
}

TEST(Softmax, SurvivesLargeLogitsAndMarksNaN) {
  for (int64_t columns : {3, 2000}) {
    std::vector<float> x(static_cast<size_t>(columns), -1e30F);
    std::vector<float> y(x.size());
    x[1] = 1e30F;
    softmax(DType::Float, x.data(), y.data(), 1, columns, 1);
    EXPECT_EQ(y[0], 0);
    EXPECT_EQ(y[1], 1);
    x[2] = NAN;
    softmax(DType::Float, x.data(), y.data(), 1, columns, 1);
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
    std::fill(x.begin(), x.end(), -INFINITY);
    log_softmax(DType::Float, x.data(), y.data(), 1, columns, 1);
    EXPECT_TRUE(std::isnan(y[0]));
  }
}

TEST(CrossEntropy, NamesTheFirstBadLabelAndWritesNothing) {
  const float logits[] = {1, 2, 3, 4, 5, 6};
  float loss[3] = {9, 9, 9};
  const int32_t labels[] = {1, 2, -1};
  EXPECT_EQ(sparse_softmax_cross_entropy(DType::Float, DType::Int32, logits, labels, loss, nullptr, 3, 2, 1), 1);
  EXPECT_EQ(loss[0], 9);
  EXPECT_EQ(sparse_softmax_cross_entropy(DType::Float, DType::Int32, logits, labels + 2, loss, nullptr, 1, 2, 1), 0);
  EXPECT_THROW(softmax(DType::Int32, logits, loss, 1, 2, 1), Error);
}

}  // namespace
}  // namespace vf::cpu
