#include "cpu/dnnl/pooling.h"

#include <gtest/gtest.h>

#include <functional>

#include "cpu/dnnl_test_util.h"

namespace vf::cpu::dnnl {
namespace {

// Calls f(destination index, source indices of the window inside the image).
void each_window(const PoolingShape& s, const std::function<void(size_t, const std::vector<size_t>&)>& f) {
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x)
        for (int64_t c = 0; c < s.channels; ++c) {
          std::vector<size_t> inside;
          for (int64_t iy = y * s.stride_h - s.pad_top; iy < y * s.stride_h - s.pad_top + s.k_h; ++iy)
            for (int64_t ix = x * s.stride_w - s.pad_left; ix < x * s.stride_w - s.pad_left + s.k_w; ++ix)
              if (iy >= 0 && iy < s.in_h && ix >= 0 && ix < s.in_w)
                inside.push_back(static_cast<size_t>(((n * s.in_h + iy) * s.in_w + ix) * s.channels + c));
          f(static_cast<size_t>(((n * s.out_h() + y) * s.out_w() + x) * s.channels + c), inside);
        }
}

void check(const PoolingShape& s, int threads) {
  SCOPED_TRACE(testing::Message() << s.in_h << 'x' << s.in_w << 'x' << s.channels << " window " << s.k_h << 'x' << s.k_w
                                  << " threads " << threads);
  const std::vector<float> source = random_floats(s.in_size(), 1), gradient = random_floats(s.out_size(), 2);
  std::vector<float> largest(gradient.size());
  std::vector<Sum> average(gradient.size()), backward(source.size());
  each_window(s, [&](size_t to, const std::vector<size_t>& from) {
    largest[to] = source[from[0]];
    for (size_t i : from) {
      largest[to] = std::max(largest[to], source[i]);
      average[to].add(double{source[i]} / static_cast<double>(from.size()));
      backward[i].add(double{gradient[to]} / static_cast<double>(from.size()));
    }
  });
  for (const PoolingKind kind : {PoolingKind::Max, PoolingKind::Average}) {
    auto f = PoolingForward::make(kind, s, DType::Float, threads);
    ASSERT_TRUE(f);
    std::vector<float> got = unwritten(s.out_size());
    const Scratch scratch(f->scratch_bytes());
    f->run(source.data(), got.data(), scratch.data());
    if (kind == PoolingKind::Max)
      EXPECT_EQ(got, largest);
    else
      expect_near(got, average);
  }
  auto f = AveragePoolingBackward::make(s, DType::Float, threads);
  ASSERT_TRUE(f);
  std::vector<float> got = unwritten(s.in_size());
  const Scratch scratch(f->scratch_bytes());
  f->run(gradient.data(), got.data(), scratch.data());
  expect_near(got, backward);
}

TEST(DnnlPooling, IsRight) {
  const std::vector<PoolingShape> shapes{
      {.batch = 2, .in_h = 8, .in_w = 8, .channels = 32, .k_h = 2, .k_w = 2, .stride_h = 2, .stride_w = 2},
      // Odd channels, rows that no window reaches, padding at one end.
      {.batch = 1,
       .in_h = 9,
       .in_w = 7,
       .channels = 67,
       .k_h = 3,
       .k_w = 3,
       .stride_h = 2,
       .stride_w = 2,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
      {.batch = 3,
       .in_h = 5,
       .in_w = 6,
       .channels = 1,
       .k_h = 3,
       .k_w = 2,
       .stride_h = 1,
       .stride_w = 3,
       .pad_bottom = 2,
       .pad_right = 1},
      {.batch = 2, .in_h = 7, .in_w = 7, .channels = 3, .k_h = 1, .k_w = 1, .stride_h = 3, .stride_w = 3},
      // The whole image; a window over more than the image.
      {.batch = 4, .in_h = 4, .in_w = 4, .channels = 512, .k_h = 4, .k_w = 4},
      {.batch = 2,
       .in_h = 2,
       .in_w = 2,
       .channels = 16,
       .k_h = 3,
       .k_w = 3,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
  };
  for (const PoolingShape& s : shapes)
    for (const int threads : {1, 2}) check(s, threads);
}

TEST(DnnlPooling, OfNothingIsNothingOrZero) {
  check({.batch = 0, .in_h = 4, .in_w = 4, .channels = 3, .k_h = 2, .k_w = 2}, 1);
  check({.batch = 2, .in_h = 2, .in_w = 2, .channels = 3, .k_h = 3, .k_w = 3}, 1);
}

TEST(DnnlPooling, DeclinesWhatItCannotDo) {
  const PoolingShape s{.batch = 2, .in_h = 4, .in_w = 4, .channels = 3, .k_h = 2, .k_w = 2};
  EXPECT_FALSE(PoolingForward::make(PoolingKind::Max, s, DType::Double, 1));
  PoolingShape all_padding = s;
  all_padding.pad_top = 2;
  EXPECT_FALSE(PoolingForward::make(PoolingKind::Average, all_padding, DType::Float, 1));
  EXPECT_FALSE(AveragePoolingBackward::make(all_padding, DType::Float, 1));
}

// Values of TensorFlow 2.21 on a CPU, from tests/golden/max_pool_gradient.py.
TEST(DnnlPooling, MaxIgnoresNanAsTensorFlow) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  const auto pooled = [](const PoolingShape& s, const std::vector<float>& source) {
    auto f = PoolingForward::make(PoolingKind::Max, s, DType::Float, 1);
    std::vector<float> result = unwritten(s.out_size());
    const Scratch scratch(f->scratch_bytes());
    f->run(source.data(), result.data(), scratch.data());
    return result;
  };
  PoolingShape s{.batch = 1, .in_h = 3, .in_w = 3, .channels = 1, .k_h = 3, .k_w = 3};
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 1;
  EXPECT_EQ(pooled(s, {-kInf, -5, -5, -5, kNan, -5, -5, -5, -5}), std::vector<float>(9, -5.0F));
  s = {.batch = 1, .in_h = 2, .in_w = 2, .channels = 1, .k_h = 2, .k_w = 2};
  EXPECT_EQ(pooled(s, std::vector<float>(4, kNan)), std::vector<float>{std::numeric_limits<float>::lowest()});
  EXPECT_EQ(pooled(s, std::vector<float>(4, -kInf)), std::vector<float>{std::numeric_limits<float>::lowest()});
}

}  // namespace
}  // namespace vf::cpu::dnnl
