#include "cpu/max_pool_gradient.h"

#include <gtest/gtest.h>

#include "cpu_test_util.h"

#include <limits>

#include "cpu/dnnl_test_util.h"

namespace vf::cpu {
namespace {

using dnnl::random_floats;
using dnnl::unwritten;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> gradient_of(const PoolingShape& s, const std::vector<float>& source,
                               const std::vector<float>& gradient, int threads = 1, Isa isa = active_isa()) {
  std::vector<float> result = unwritten(s.in_size());
  max_pool_gradient(s, source.data(), gradient.data(), result.data(), threads, false, isa);
  return result;
}

// By the definition, one output at a time.
std::vector<float> by_definition(const PoolingShape& s, const std::vector<float>& source,
                                 const std::vector<float>& gradient) {
  std::vector<float> result(source.size(), 0.0F);
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x)
        for (int64_t c = 0; c < s.channels; ++c) {
          int64_t first_largest = -1;
          for (int64_t iy = y * s.stride_h - s.pad_top; iy < y * s.stride_h - s.pad_top + s.k_h; ++iy)
            for (int64_t ix = x * s.stride_w - s.pad_left; ix < x * s.stride_w - s.pad_left + s.k_w; ++ix) {
              if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
              const int64_t at = ((n * s.in_h + iy) * s.in_w + ix) * s.channels + c;
              if (first_largest < 0 || source[at] > source[first_largest]) first_largest = at;
            }
          result[first_largest] += gradient[((n * s.out_h() + y) * s.out_w() + x) * s.channels + c];
        }
  return result;
}

// Bit for bit, on all instruction sets, on one thread and on more than there are images.
TEST(MaxPoolGradient, FollowsTheDefinition) {
  const std::vector<PoolingShape> shapes{
      {.batch = 2, .in_h = 8, .in_w = 8, .channels = 32, .k_h = 2, .k_w = 2, .stride_h = 2, .stride_w = 2},
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
      {.batch = 1, .in_h = 7, .in_w = 7, .channels = 200, .k_h = 1, .k_w = 1, .stride_h = 3, .stride_w = 3},
      {.batch = 1,
       .in_h = 40,
       .in_w = 40,
       .channels = 130,
       .k_h = 3,
       .k_w = 3,
       .stride_h = 1,
       .stride_w = 1,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
  };
  for (const PoolingShape& s : shapes) {
    std::vector<float> source = random_floats(s.in_size(), 1);
    for (float& v : source) v = std::round(v * 4);  // many are equal
    const std::vector<float> gradient = random_floats(s.out_size(), 2), want = by_definition(s, source, gradient);
    for (const Isa isa : supported_isas())
      for (const int threads : {1, 2, 3}) EXPECT_EQ(gradient_of(s, source, gradient, threads, isa), want) << s.channels;
  }
}

// Values of TensorFlow 2.21 on a CPU, from tests/golden/max_pool_gradient.py.
TEST(MaxPoolGradient, TreatsTiesAndNanAsTensorFlow) {
  using Floats = std::vector<float>;
  EXPECT_EQ(
      gradient_of({.batch = 1, .in_h = 4, .in_w = 4, .channels = 1, .k_h = 2, .k_w = 2, .stride_h = 2, .stride_w = 2},
                  Floats(16, 0.0F), {1, 2, 3, 4}),
      (Floats{1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0}));
  const Floats image{-kInf, -5, -5, -5, kNan, -5, -5, -5, -5}, counted{1, 2, 3, 4, 5, 6, 7, 8, 9};
  PoolingShape s{.batch = 1, .in_h = 3, .in_w = 3, .channels = 1, .k_h = 3, .k_w = 3};
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 1;
  EXPECT_EQ(gradient_of(s, image, counted), (Floats{0, 21, 0, 15, 9, 0, 0, 0, 0}));
  s = {.batch = 1, .in_h = 3, .in_w = 3, .channels = 1, .k_h = 2, .k_w = 2, .pad_bottom = 1, .pad_right = 1};
  EXPECT_EQ(gradient_of(s, image, counted), (Floats{0, 3, 3, 4, 5, 6, 7, 8, 9}));
  s.stride_h = s.stride_w = 2;
  EXPECT_EQ(gradient_of(s, image, {1, 2, 3, 4}), (Floats{0, 1, 2, 0, 0, 0, 3, 0, 4}));
  s = {.batch = 1, .in_h = 2, .in_w = 2, .channels = 1, .k_h = 2, .k_w = 2};
  EXPECT_EQ(gradient_of(s, Floats(4, kNan), {1}), (Floats{1, 0, 0, 0}));
  EXPECT_EQ(gradient_of(s, Floats(4, -kInf), {1}), (Floats{1, 0, 0, 0}));
}

TEST(MaxPoolGradient, OfNoOutputsIsZero) {
  const PoolingShape s{.batch = 1, .in_h = 2, .in_w = 2, .channels = 3, .k_h = 3, .k_w = 3};
  EXPECT_EQ(gradient_of(s, random_floats(12, 1), {}), std::vector<float>(12, 0.0F));
  max_pool_gradient({.batch = 0, .in_h = 2, .in_w = 2, .channels = 3}, nullptr, nullptr, nullptr, 2);
}

}  // namespace
}  // namespace vf::cpu
