#pragma once
// Uniform and normal doubles from four Philox words or two, by libm's functions.
#include <cmath>
#include <cstdint>
#include <numbers>

namespace vf::cpu {

// In [0, 1), from two words.
inline double uniform_double(const uint32_t* words) {
  // 52 bits over 2^52, exact: the same as a mantissa in [1, 2) less 1.
  const uint64_t mantissa = static_cast<uint64_t>(words[0] & 0xfffffU) << 32 | words[1];
  return static_cast<double>(mantissa) * 0x1p-52;
}

// Two normal values from four words, by Box and Muller: first the one with the sine.
inline void normal_pair(const uint32_t* words, double* out) {
  const double u = std::fmax(uniform_double(words), 1e-7);
  const double radius = std::sqrt(-2.0 * std::log(u));
  const double angle = 2 * std::numbers::pi * uniform_double(words + 2);
  out[0] = std::sin(angle) * radius;
  out[1] = std::cos(angle) * radius;
}

}  // namespace vf::cpu
