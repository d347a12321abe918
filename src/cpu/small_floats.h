#pragma once
// Half and bfloat16 to float and back, without branches, for .isa.cpp files alone (internal linkage). The same values
// as vf::Half and vf::BFloat16 give, on every instruction set.
#include <cstdint>

#include "varflow/dtype.h"

namespace vf::cpu::VF_ISA {
namespace {

inline float float_of(Half h) {
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000U) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(h.bits & 0x7fffU);
  const float subnormal = static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24F;
  const uint32_t normal = (magnitude << 13) + (magnitude >= 0x7c00U ? 0x70000000U : 0x38000000U);
  const uint32_t bits = magnitude < 0x400U ? __builtin_bit_cast(uint32_t, subnormal) : normal;
  return __builtin_bit_cast(float, bits | sign);
}

inline float float_of(BFloat16 b) { return __builtin_bit_cast(float, static_cast<uint32_t>(b.bits) << 16); }

inline void store(float value, Half& h) {
  const uint32_t f = __builtin_bit_cast(uint32_t, value);
  const uint32_t sign = (f >> 16) & 0x8000U;
  const uint32_t magnitude = f & 0x7fffffffU;
  const uint32_t normal = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
  // Float addition rounds what becomes a subnormal half.
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) + 0.5F) - 0x3f000000U;
  uint32_t bits = magnitude < 0x38800000U ? subnormal : normal;
  bits = magnitude >= 0x477ff000U ? 0x7c00U : bits;
  bits = magnitude > 0x7f800000U ? 0x7e00U | ((magnitude >> 13) & 0x3ffU) : bits;
  h.bits = static_cast<uint16_t>(bits | sign);
}

inline void store(float value, BFloat16& b) {
  const uint32_t f = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (f + 0x7fffU + ((f >> 16) & 1U)) >> 16;
  const uint32_t nan = (f >> 16) | 0x40U;
  b.bits = static_cast<uint16_t>((f & 0x7fffffffU) > 0x7f800000U ? nan : rounded);
}

template <class H>
void to_floats(const H* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = float_of(x[i]);
}

template <class H>
void from_floats(const float* x, H* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) store(x[i], y[i]);
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
