#include "cpu/batch_norm.h"

#include <gtest/gtest.h>

#include "cpu_test_util.h"

#include <limits>

#include "cpu/dnnl_test_util.h"

namespace vf::cpu {
namespace {

using dnnl::expect_near;
using dnnl::random_floats;
using dnnl::Scratch;
using dnnl::Sum;
using dnnl::unwritten;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Forward {
  Floats y, mean, variance;
  bool operator==(const Forward&) const = default;
};
struct Backward {
  Floats dx, d_scale, d_offset;
  bool operator==(const Backward&) const = default;
};

struct Case {
  explicit Case(const BatchNormShape& s)
      : shape(s),
        x(random_floats(s.rows * s.channels, 1)),
        dy(random_floats(s.rows * s.channels, 2)),
        scale(random_floats(s.channels, 3)),
        offset(random_floats(s.channels, 4)),
        mean(channels()),
        variance(channels()) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(i % channels() % 32) / 16;
    const double rows = std::max(1.0, static_cast<double>(s.rows));
    for (size_t i = 0; i < x.size(); ++i) mean[i % channels()] += x[i] / rows;
    for (size_t i = 0; i < x.size(); ++i)
      variance[i % channels()] += (x[i] - mean[i % channels()]) * (x[i] - mean[i % channels()]) / rows;
  }
  size_t channels() const { return static_cast<size_t>(shape.channels); }

  Forward train(const BatchNormOptions& options = {}) const {
    Forward f{unwritten(shape.rows * shape.channels), unwritten(shape.channels), unwritten(shape.channels)};
    const Scratch scratch(batch_norm_scratch_bytes(shape));
    batch_norm_train(shape, x.data(), scale.data(), offset.data(), f.y.data(), f.mean.data(), f.variance.data(),
                     scratch.data(), options);
    return f;
  }
  Floats infer(const Floats& m, const Floats& v, const BatchNormOptions& options = {}) const {
    Floats y = unwritten(shape.rows * shape.channels);
    const Scratch scratch(batch_norm_scratch_bytes(shape));
    batch_norm_infer(shape, x.data(), scale.data(), offset.data(), m.data(), v.data(), y.data(), scratch.data(),
                     options);
    return y;
  }
  Backward gradient(bool training, const Floats& m, const Floats& v, const float* y = nullptr, int threads = 1,
                    Isa isa = active_isa()) const {
    Backward b{unwritten(shape.rows * shape.channels), unwritten(shape.channels), unwritten(shape.channels)};
    const Scratch scratch(batch_norm_scratch_bytes(shape));
    batch_norm_gradient(shape, training,
                        {.dy = dy.data(),
                         .x = x.data(),
                         .y = y,
                         .scale = scale.data(),
                         .mean = m.data(),
                         .variance = v.data(),
                         .dx = b.dx.data(),
                         .d_scale = b.d_scale.data(),
                         .d_offset = b.d_offset.data()},
                        scratch.data(), threads, isa);
    return b;
  }

  double normalized(size_t i, const Doubles& m, const Doubles& v) const {
    return (x[i] - m[i % channels()]) / std::sqrt(v[i % channels()] + double(shape.epsilon));
  }
  void expect_forward(const Floats& y, const Doubles& m, const Doubles& v) const {
    std::vector<Sum> sums(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      sums[i].add(normalized(i, m, v) * double(scale[i % channels()]));
      sums[i].add(offset[i % channels()]);
      sums[i].magnitude += 1;  // of the mean, taken away
    }
    expect_near(y, sums, shape.rows == 1 ? 1e-5 : 1e-6);
  }
  void expect_backward(const Backward& b, bool training, const Doubles& m, const Doubles& v) const {
    std::vector<Sum> d_scale(channels()), d_offset(channels()), dx(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      d_scale[i % channels()].add(dy[i] * normalized(i, m, v));
      d_offset[i % channels()].add(dy[i]);
    }
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t c = i % channels();
      const double factor = scale[c] / std::sqrt(v[c] + double(shape.epsilon)), rows = double(shape.rows);
      dx[i].add(factor * dy[i]);
      if (!training) continue;
      dx[i].add(-factor * d_offset[c].value / rows);
      dx[i].add(-factor * normalized(i, m, v) * d_scale[c].value / rows);
      dx[i].magnitude += std::abs(factor);
    }
    expect_near(b.dx, dx, 1e-6);
    expect_near(b.d_scale, d_scale, shape.rows == 1 ? 1e-5 : 1e-6);
    expect_near(b.d_offset, d_offset, 1e-7);
  }

  BatchNormShape shape;
  Floats x, dy, scale, offset;
  Doubles mean, variance;
};

std::vector<Sum> as_sums(const Doubles& values) {
  std::vector<Sum> sums;
  for (double v : values) sums.push_back({v, std::abs(v)});
  return sums;
}
Floats as_floats(const Doubles& values) { return Floats(values.begin(), values.end()); }

// Rows around the least and the most partitions, channels around all widths of vectors.
const std::vector<BatchNormShape>& shapes() {
  static const std::vector<BatchNormShape> all{
      {.rows = 128, .channels = 16},
      {.rows = 75, .channels = 64, .epsilon = 1e-5F},
      {.rows = 2000, .channels = 33},
      {.rows = 50, .channels = 3},
      {.rows = 7, .channels = 1, .epsilon = 0.1F},
      {.rows = 1, .channels = 16},
      {.rows = 200, .channels = 127},
      {.rows = 3000, .channels = 1},
      {.rows = 65, .channels = 1031},
  };
  return all;
}

TEST(BatchNorm, FollowsItsFormulas) {
  for (const BatchNormShape& s : shapes()) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows of " << s.channels);
    const Case a(s);
    const Forward f = a.train();
    expect_near(f.mean, as_sums(a.mean), 1e-7);
    expect_near(f.variance, as_sums(a.variance), 1e-7);
    a.expect_forward(f.y, a.mean, a.variance);
    a.expect_backward(a.gradient(true, f.mean, f.variance), true, a.mean, a.variance);

    const Doubles mean(a.channels(), 0.25), variance(a.channels(), 2.5);
    a.expect_forward(a.infer(as_floats(mean), as_floats(variance)), mean, variance);
    a.expect_backward(a.gradient(false, as_floats(mean), as_floats(variance)), false, mean, variance);
  }
}

TEST(BatchNorm, HasTheSameBitsOnAnyThreadsAndInstructionSet) {
  for (const BatchNormShape& s : shapes()) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows of " << s.channels);
    Case a(s);
    // Means so far from zero that the last bits of the sums show in the variances.
    for (float& v : a.x) v += 30000;
    const Forward f = a.train();
    const Floats y = a.infer(f.mean, f.variance, {.relu = true});
    const Backward training = a.gradient(true, f.mean, f.variance);
    const Backward constant = a.gradient(false, f.mean, f.variance);
    const Backward relu = a.gradient(true, f.mean, f.variance, y.data());
    EXPECT_EQ(a.infer(f.mean, f.variance), f.y);
    for (const Isa isa : supported_isas())
      for (const int threads : {1, 2, 3, 40}) {
        SCOPED_TRACE(testing::Message() << isa_name(isa) << " threads " << threads);
        EXPECT_TRUE(a.train({.threads = threads, .isa = isa}) == f);
        EXPECT_TRUE(a.infer(f.mean, f.variance, {.threads = threads, .relu = true, .isa = isa}) == y);
        EXPECT_TRUE(a.gradient(true, f.mean, f.variance, nullptr, threads, isa) == training);
        EXPECT_TRUE(a.gradient(false, f.mean, f.variance, nullptr, threads, isa) == constant);
        EXPECT_TRUE(a.gradient(true, f.mean, f.variance, y.data(), threads, isa) == relu);
      }
  }
}

// Where sums in float would be off by more than their values.
TEST(BatchNorm, SumsInDouble) {
  Case a({.rows = 20000, .channels = 5});
  for (float& v : a.x) v += 1000;
  for (float& v : a.dy) v += 100;
  Doubles mean(5), variance(5), d_scale(5), d_offset(5);
  for (size_t i = 0; i < a.x.size(); ++i) mean[i % 5] += a.x[i] / 20000.0;
  for (size_t i = 0; i < a.x.size(); ++i) variance[i % 5] += (a.x[i] - mean[i % 5]) * (a.x[i] - mean[i % 5]) / 20000.0;
  const Forward f = a.train();
  expect_near(f.mean, as_sums(mean), 6e-8);
  expect_near(f.variance, as_sums(variance), 1e-7);
  for (size_t i = 0; i < a.x.size(); ++i) {
    d_scale[i % 5] +=
        a.dy[i] * (a.x[i] - double(f.mean[i % 5])) / std::sqrt(double(f.variance[i % 5]) + double(a.shape.epsilon));
    d_offset[i % 5] += a.dy[i];
  }
  const Backward b = a.gradient(true, f.mean, f.variance);
  expect_near(b.d_scale, as_sums(d_scale), 1e-6);
  expect_near(b.d_offset, as_sums(d_offset), 6e-8);
}

TEST(BatchNorm, GivesEqualValuesNoVariance) {
  Case a({.rows = 1000, .channels = 20});
  for (size_t i = 0; i < a.x.size(); ++i) a.x[i] = 0.1F * static_cast<float>(i % 20 + 1);
  const Forward f = a.train();
  for (size_t c = 0; c < 20; ++c) {
    EXPECT_EQ(f.mean[c], a.x[c]);
    EXPECT_GE(f.variance[c], 0);
    EXPECT_LT(f.variance[c], 1e-14);
    EXPECT_EQ(f.y[c], a.offset[c]);
  }
}

// Beside a normalization without it, whose result the ReLU takes, and whose gradient takes what the ReLU lets through.
TEST(BatchNorm, ReluIsAsIfItFollowed) {
  for (const BatchNormShape& s : shapes()) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows of " << s.channels);
    Case a(s);
    const Forward f = a.train();
    Floats want = f.y;
    for (float& v : want) v = std::max(v, 0.0F);
    const Forward with_relu = a.train({.relu = true});
    EXPECT_EQ(with_relu.y, want);
    EXPECT_EQ(with_relu.mean, f.mean);
    EXPECT_EQ(a.infer(f.mean, f.variance, {.relu = true}), want);
    const Backward training = a.gradient(true, f.mean, f.variance, want.data());
    const Backward constant = a.gradient(false, f.mean, f.variance, want.data());
    for (size_t i = 0; i < a.dy.size(); ++i)
      if (want[i] == 0) a.dy[i] = 0;
    EXPECT_TRUE(training == a.gradient(true, f.mean, f.variance));
    EXPECT_TRUE(constant == a.gradient(false, f.mean, f.variance));
  }
}

TEST(BatchNorm, ReluKeepsNan) {
  for (const Isa isa : supported_isas()) {
    Case a({.rows = 2, .channels = 21});
    for (size_t c = 0; c < 21; ++c) a.x[c] = kNan, a.x[21 + c] = -1;
    std::fill(a.scale.begin(), a.scale.end(), 1.0F);
    std::fill(a.offset.begin(), a.offset.end(), 0.0F);
    const Floats zeros(21, 0.0F), ones(21, 1.0F);
    const Floats y = a.infer(zeros, ones, {.relu = true, .isa = isa});
    for (size_t c = 0; c < 21; ++c) {
      EXPECT_TRUE(std::isnan(y[c]));
      EXPECT_EQ(y[21 + c], 0);
    }
    // A NaN is not above 0: nothing comes back through it.
    EXPECT_EQ(a.gradient(false, zeros, ones, y.data(), 1, isa).dx, Floats(42, 0.0F));
  }
}

TEST(BatchNorm, WorksInPlace) {
  Case a({.rows = 300, .channels = 37});
  const Forward f = a.train();
  const Backward b = a.gradient(true, f.mean, f.variance);
  const Scratch scratch(batch_norm_scratch_bytes(a.shape));
  Floats d_scale(37), d_offset(37), mean(37), variance(37);
  batch_norm_gradient(a.shape, true,
                      {.dy = a.dy.data(),
                       .x = a.x.data(),
                       .scale = a.scale.data(),
                       .mean = f.mean.data(),
                       .variance = f.variance.data(),
                       .dx = a.dy.data(),
                       .d_scale = d_scale.data(),
                       .d_offset = d_offset.data()},
                      scratch.data(), 2);
  EXPECT_EQ(a.dy, b.dx);
  batch_norm_train(a.shape, a.x.data(), a.scale.data(), a.offset.data(), a.x.data(), mean.data(), variance.data(),
                   scratch.data(), {.threads = 2});
  EXPECT_EQ(a.x, f.y);
}

TEST(BatchNorm, OfNothingIsZero) {
  const Case none({.rows = 0, .channels = 19});
  const Floats zeros(19, 0.0F);
  const Forward f = none.train({.threads = 2});
  EXPECT_EQ(f.mean, zeros);
  EXPECT_EQ(f.variance, zeros);
  const Backward b = none.gradient(true, f.mean, f.variance, nullptr, 2);
  EXPECT_EQ(b.d_scale, zeros);
  EXPECT_EQ(b.d_offset, zeros);
  const Case no_channels({.rows = 3, .channels = 0});
  no_channels.train();
  no_channels.gradient(false, {}, {});
}

}  // namespace
}  // namespace vf::cpu
