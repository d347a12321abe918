// The vector forms of logf, sinf and cosf have libm's bits on everything that Box and Muller can ask for: all 2^23
// values of a uniform float, and a sweep beyond.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "cpu/isa.h"
#include "cpu/random_kernels.h"
#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

constexpr uint32_t kUniforms = 1U << 23;

float uniform(uint32_t mantissa) { return static_cast<float>(mantissa) * 0x1p-23F; }

void expect_same_bits(const std::vector<float>& x, const std::vector<float>& got, float (*libm)(float)) {
  size_t wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const float wanted = libm(x[i]);
    if (std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(wanted)) continue;
    if (++wrong == 1) ADD_FAILURE() << "f(" << x[i] << ") is " << wanted << ", got " << got[i];
  }
  EXPECT_EQ(wrong, 0U);
}

float libm_log(float x) { return std::log(x); }
float libm_sin(float x) { return std::sin(x); }
float libm_cos(float x) { return std::cos(x); }

TEST(GlibcMath, LogIsThatOfLibm) {
  std::vector<float> x = {1e-7F};
  for (uint32_t i = 1; i < kUniforms; ++i) x.push_back(uniform(i));
  // All normal positive floats, in steps.
  for (uint32_t bits = 0x00800000U; bits < 0x7f800000U; bits += 1021) x.push_back(std::bit_cast<float>(bits));
  std::vector<float> got(x.size());
  for (Isa isa : supported_isas()) {
    SCOPED_TRACE(isa_name(isa));
    random_kernels(isa).log(x.data(), static_cast<int64_t>(x.size()), got.data());
    expect_same_bits(x, got, libm_log);
  }
}

TEST(GlibcMath, SineAndCosineAreThoseOfLibm) {
  std::vector<float> x;
  for (uint32_t i = 0; i < kUniforms; ++i) x.push_back(static_cast<float>(2 * std::numbers::pi * uniform(i)));
  std::vector<float> sine(x.size());
  std::vector<float> cosine(x.size());
  for (Isa isa : supported_isas()) {
    SCOPED_TRACE(isa_name(isa));
    random_kernels(isa).sin_cos(x.data(), static_cast<int64_t>(x.size()), sine.data(), cosine.data());
    expect_same_bits(x, sine, libm_sin);
    expect_same_bits(x, cosine, libm_cos);
  }
}

}  // namespace
}  // namespace vf::cpu
