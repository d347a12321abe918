#include "cpu/dnnl/batch_norm.h"

#include <gtest/gtest.h>

#include "cpu/dnnl_test_util.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {
namespace {

struct Case {
  explicit Case(const BatchNormShape& s)
      : shape(s),
        source(random_floats(s.rows() * s.channels, 1)),
        gradient(random_floats(s.rows() * s.channels, 2)),
        scale(random_floats(s.channels, 3)),
        shift(random_floats(s.channels, 4)),
        mean(static_cast<size_t>(s.channels)),
        variance(static_cast<size_t>(s.channels)) {
    for (size_t i = 0; i < source.size(); ++i) source[i] += static_cast<float>(i % channels()) / 16;
    for (size_t c = 0; c < channels(); ++c) {
      for (size_t i = c; i < source.size(); i += channels()) mean[c] += source[i];
      mean[c] /= static_cast<double>(s.rows());
      for (size_t i = c; i < source.size(); i += channels())
        variance[c] += (source[i] - mean[c]) * (source[i] - mean[c]);
      variance[c] /= static_cast<double>(s.rows());
    }
  }
  size_t channels() const { return static_cast<size_t>(shape.channels); }
  double normalized(size_t i, const std::vector<double>& m, const std::vector<double>& v) const {
    return (source[i] - m[i % channels()]) / std::sqrt(v[i % channels()] + shape.epsilon);
  }
  std::vector<Sum> forward(const std::vector<double>& m, const std::vector<double>& v) const {
    std::vector<Sum> sums(source.size());
    for (size_t i = 0; i < source.size(); ++i) {
      sums[i].add(normalized(i, m, v) * scale[i % channels()]);
      sums[i].add(shift[i % channels()]);
      sums[i].magnitude += 4;  // of the mean, taken away
    }
    return sums;
  }

  BatchNormShape shape;
  std::vector<float> source, gradient, scale, shift;
  std::vector<double> mean, variance;
};

std::vector<Sum> as_sums(const std::vector<double>& values) {
  std::vector<Sum> sums;
  for (double v : values) sums.push_back({v, std::abs(v) + 1});
  return sums;
}
std::vector<float> as_floats(const std::vector<double>& values) {
  return std::vector<float>(values.begin(), values.end());
}

const std::vector<BatchNormShape>& shapes() {
  static const std::vector<BatchNormShape> all{
      {.images = 8, .pixels = 16, .channels = 16},
      {.images = 3, .pixels = 25, .channels = 64, .epsilon = 1e-5F},
      {.images = 40, .pixels = 50, .channels = 33},
      {.images = 1, .pixels = 50, .channels = 3},
      {.images = 7, .pixels = 1, .channels = 1, .epsilon = 0.1F},
      {.images = 1, .pixels = 1, .channels = 16},
      {.images = 200, .pixels = 1, .channels = 48},
      {.images = 3, .pixels = 1000, .channels = 1},
  };
  return all;
}

void check(const BatchNormShape& s, int threads) {
  SCOPED_TRACE(testing::Message() << s.rows() << " rows of " << s.channels << " threads " << threads);
  const Case a(s);
  {
    auto f = BatchNormForward::make(s, DType::Float, true, threads);
    ASSERT_TRUE(f);
    const Scratch scratch(f->scratch_bytes());
    std::vector<float> got = unwritten(s.rows() * s.channels), mean = unwritten(s.channels),
                       variance = unwritten(s.channels);
    f->train(a.source.data(), a.scale.data(), a.shift.data(), got.data(), mean.data(), variance.data(), scratch.data());
    expect_near(mean, as_sums(a.mean));
    expect_near(variance, as_sums(a.variance));
    expect_near(got, a.forward(a.mean, a.variance), s.rows() == 1 ? 1e-4 : 4e-6);
  }
  const std::vector<double> given_mean(a.channels(), 0.25), given_variance(a.channels(), 2.5);
  {
    auto f = BatchNormForward::make(s, DType::Float, false, threads);
    ASSERT_TRUE(f);
    const Scratch scratch(f->scratch_bytes());
    std::vector<float> got = unwritten(s.rows() * s.channels);
    f->infer(a.source.data(), a.scale.data(), a.shift.data(), as_floats(given_mean).data(),
             as_floats(given_variance).data(), got.data(), scratch.data());
    expect_near(got, a.forward(given_mean, given_variance));
  }
  for (const bool training : {true, false}) {
    const std::vector<double>& mean = training ? a.mean : given_mean;
    const std::vector<double>& variance = training ? a.variance : given_variance;
    std::vector<Sum> d_scale(a.channels()), d_shift(a.channels()), d_source(a.source.size());
    for (size_t i = 0; i < a.source.size(); ++i) {
      d_scale[i % a.channels()].add(a.gradient[i] * a.normalized(i, mean, variance));
      d_shift[i % a.channels()].add(a.gradient[i]);
    }
    for (size_t i = 0; i < a.source.size(); ++i) {
      const size_t c = i % a.channels();
      const double factor = a.scale[c] / std::sqrt(variance[c] + s.epsilon), rows = static_cast<double>(s.rows());
      d_source[i].add(factor * a.gradient[i]);
      if (!training) continue;
      d_source[i].add(-factor * d_shift[c].value / rows);
      d_source[i].add(-factor * a.normalized(i, mean, variance) * d_scale[c].value / rows);
      d_source[i].magnitude += 4 * std::abs(factor);
    }
    auto f = BatchNormBackward::make(s, DType::Float, training, threads);
    ASSERT_TRUE(f);
    const Scratch scratch(f->scratch_bytes());
    std::vector<float> got = unwritten(s.rows() * s.channels), got_scale = unwritten(s.channels),
                       got_shift = unwritten(s.channels);
    f->run(a.source.data(), a.scale.data(), as_floats(mean).data(), as_floats(variance).data(), a.gradient.data(),
           got.data(), got_scale.data(), got_shift.data(), scratch.data());
    expect_near(got, d_source, 4e-6);
    expect_near(got_scale, d_scale, s.rows() == 1 ? 1e-4 : 1e-5);
    expect_near(got_shift, d_shift, 1e-5);
  }
}

TEST(DnnlBatchNorm, IsRight) {
  for (const BatchNormShape& s : shapes())
    for (const int threads : {1, 2}) check(s, threads);
}

TEST(DnnlBatchNorm, DoesNotTrainIfMadeToInfer) {
  auto f = BatchNormForward::make({.images = 4, .pixels = 2, .channels = 4}, DType::Float, false, 1);
  EXPECT_THROW(f->train(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr), Error);
}

TEST(DnnlBatchNorm, DeclinesWhatItCannotDo) {
  EXPECT_FALSE(BatchNormForward::make({.images = 0, .pixels = 4, .channels = 4}, DType::Float, true, 1));
  EXPECT_FALSE(BatchNormForward::make({.images = 4, .pixels = 2, .channels = 4}, DType::Double, true, 1));
  EXPECT_FALSE(BatchNormBackward::make({.images = 4, .pixels = 2, .channels = 4}, DType::Half, true, 1));
}

}  // namespace
}  // namespace vf::cpu::dnnl
