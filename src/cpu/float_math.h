#pragma once
// exp, log, tanh and their kin for float, as branch-free expressions that the compiler turns into vectors. For .isa.cpp
// files alone: everything here has internal linkage. No fused multiply-adds and no approximate instructions, so
// every instruction set computes the same bits. Distances from the exact value in units in the last place, from sweeps
// (tests/cpu/float_math_test.cpp holds them to these bounds): exp 0.9, expm1 1.7, log 0.9, log1p 0.9, tanh 1.2, sigmoid
// 2.2, softplus 1.6, erf 1.2. Polynomials: Chebyshev interpolation of the function named beside each, rounded to float.
#include <cstdint>

namespace vf::cpu::VF_ISA {
namespace {

inline float from_bits(int32_t bits) { return __builtin_bit_cast(float, bits); }
inline int32_t to_bits(float value) { return __builtin_bit_cast(int32_t, value); }
inline float abs_float(float x) { return from_bits(to_bits(x) & 0x7fffffff); }
inline float with_sign_of(float magnitude, float sign) {
  return from_bits((to_bits(magnitude) & 0x7fffffff) | (to_bits(sign) & INT32_MIN));
}
// 2^n for -126 <= n <= 127.
inline float power_of_two(int32_t n) { return __builtin_bit_cast(float, (static_cast<uint32_t>(n) + 127U) << 23); }

constexpr float kInfinity = __builtin_inff();
// ln 2 in two parts: the first has 15 bits, so that n * kLn2High is exact for every exponent n of a float.
constexpr float kLn2High = 0x1.62e4p-1F;
constexpr float kLn2Low = 0x1.7f7d1cp-20F;

// x = n ln 2 + r, |r| <= ln 2 / 2; `tail` is e^r - 1 - r.
struct ExpParts {
  int32_t n;
  float r;
  float tail;
};

inline ExpParts exp_parts(float x) {
  const float nf = __builtin_rintf(x * 0x1.715476p+0F);
  const float r = (x - nf * kLn2High) - nf * kLn2Low;
  // (e^r - 1 - r) / r^2
  float q = 0x1.6d117cp-10F;
  q = q * r + 0x1.120be2p-7F;
  q = q * r + 0x1.555518p-5F;
  q = q * r + 0x1.5554dcp-3F;
  q = q * r + 0.5F;
  return {static_cast<int32_t>(nf), r, q * (r * r)};
}

inline float exp_float(float x) {
  float bounded = x > 89.0F ? 89.0F : x;  // infinite from here up
  bounded = bounded < -104.0F ? -104.0F : bounded;
  const ExpParts p = exp_parts(bounded);
  // Two factors reach the subnormal numbers and infinity with a single rounding.
  const int32_t half = p.n >> 1;
  const float sum = 1.0F + p.r;
  const float lost = p.r - (sum - 1.0F);
  return (sum + (lost + p.tail)) * power_of_two(half) * power_of_two(p.n - half);
}

inline float expm1_float(float x) {
  float bounded = x > 89.0F ? 89.0F : x;
  bounded = bounded < -25.0F ? -25.0F : bounded;
  const ExpParts p = exp_parts(bounded);
  const float half = power_of_two(static_cast<int32_t>(static_cast<uint32_t>(p.n) - 1U));
  const float value = (half * (p.r + p.tail) + (half - 0.5F)) * 2.0F;
  return abs_float(x) < 0x1p-25F ? x : value;
}

// log(u) + relative_c + exponent * ln 2 where u is positive, normal and finite; any number elsewhere.
inline float log_parts(float u, float relative_c, int32_t exponent) {
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  const int32_t bits = static_cast<int32_t>(static_cast<uint32_t>(to_bits(u)) - static_cast<uint32_t>(kSqrtHalf));
  const float k = static_cast<float>((bits >> 23) + exponent);
  const float f = from_bits((bits & 0x7fffff) + kSqrtHalf) - 1.0F;
  // (log(1 + f) - f + f^2 / 2) / f^3 for sqrt(1/2) <= 1 + f < sqrt(2)
  float q = 0x1.1d8ea6p-4F;
  q = q * f - 0x1.d635bcp-4F;
  q = q * f + 0x1.dea282p-4F;
  q = q * f - 0x1.fcf4c6p-4F;
  q = q * f + 0x1.23d21ap-3F;
  q = q * f - 0x1.555b4ap-3F;
  q = q * f + 0x1.999d5ap-3F;
  q = q * f - 0x1.fffffcp-3F;
  q = q * f + 0x1.555554p-2F;
  const float square = f * f;
  const float small = (f * square * q + (k * kLn2Low + relative_c)) - 0.5F * square;
  return (small + f) + k * kLn2High;
}

// What log does outside the positive finite numbers.
inline float log_or_special(float u, float value) {
  value = u == kInfinity ? u : value;
  value = u == 0.0F ? -kInfinity : value;
  return u >= 0.0F ? value : __builtin_nanf("");
}

inline float log_float(float x) {
  const bool subnormal = x < 0x1p-126F;
  const float scaled = subnormal ? x * 0x1p23F : x;
  return log_or_special(x, log_parts(scaled, 0.0F, subnormal ? -23 : 0));
}

inline float log1p_float(float x) {
  const float u = 1.0F + x;
  const float part = u - 1.0F;
  const float lost = (x - part) + (1.0F - (u - part));  // u + lost is 1 + x exactly
  const float value = log_or_special(u, log_parts(u, lost / u, 0));
  return abs_float(x) < 0x1p-25F ? x : value;
}

inline float tanh_float(float x) {
  const float square = x * x;
  // (tanh(x) / x - 1) / x^2 for |x| <= 0.7
  float q = 0x1.0e16fcp-9F;
  q = q * square - 0x1.09dd08p-7F;
  q = q * square + 0x1.635bf6p-6F;
  q = q * square - 0x1.b9f184p-5F;
  q = q * square + 0x1.1110a2p-3F;
  q = q * square - 0x1.555554p-2F;
  const float small = x + x * (square * q);
  const float large = 1.0F - 2.0F / (exp_float(2.0F * abs_float(x)) + 1.0F);
  return with_sign_of(abs_float(x) < 0.7F ? small : large, x);
}

inline float sigmoid_float(float x) {
  const float e = exp_float(-abs_float(x));
  return (x < 0.0F ? e : 1.0F) / (1.0F + e);
}

inline float softplus_float(float x) {
  const float positive = x < 0.0F ? 0.0F : x;
  return positive + log1p_float(exp_float(-abs_float(x)));
}

inline float erf_float(float x) {
  const float square = x * x;
  // erf(x) / x - 1 for |x| <= 1
  float q = 0x1.4a5690p-14F;
  q = q * square - 0x1.a45088p-11F;
  q = q * square + 0x1.541270p-8F;
  q = q * square - 0x1.b7fabap-6F;
  q = q * square + 0x1.ce2d10p-4F;
  q = q * square - 0x1.81273ep-2F;
  q = q * square + 0x1.06eba8p-3F;
  const float small = x + x * q;
  float a = abs_float(x);
  a = a > 4.0F ? 4.0F : a;
  // log(1 - erf(a)) for 1 <= a <= 4
  float t = 0x1.b77830p-20F;
  t = t * a - 0x1.825ce4p-15F;
  t = t * a + 0x1.38e5e6p-11F;
  t = t * a - 0x1.37ecc6p-8F;
  t = t * a + 0x1.b0e246p-6F;
  t = t * a - 0x1.c2e356p-4F;
  t = t * a - 0x1.437eb4p-1F;
  t = t * a - 0x1.2156fap+0F;
  t = t * a + 0x1.4fb068p-12F;
  const float large = 1.0F - exp_float(t);
  return abs_float(x) < 1.0F ? small : with_sign_of(large, x);
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
