#pragma once
// logf, sinf and cosf with the bits of glibc's, written so that a loop over them becomes vector code on double lanes.
// For .isa.cpp files alone (internal linkage).
//
// The algorithms and constants are those of Arm's optimized routines, which glibc took over in 2.27 and 2.28: a table
// of 16 pairs (1/c, log c) and a cubic in double for log, a reduction by multiples of pi/2 and two polynomials in
// double for sine and cosine. Valid domains are narrower here: what Box-Muller needs.
#include <cstdint>

namespace vf::cpu::VF_ISA {
namespace {

// 1/c and log c for a c near the middle of each sixteenth of [0x1.66p-1, 0x1.66p0); exactly 1 and 0 around 1.
struct LogTable {
  static constexpr double inverse[16] = {
      0x1.661ec79f8f3bep+0, 0x1.571ed4aaf883dp+0, 0x1.49539f0f010bp+0,  0x1.3c995b0b80385p+0, 0x1.30d190c8864a5p+0,
      0x1.25e227b0b8eap+0,  0x1.1bb4a4a1a343fp+0, 0x1.12358f08ae5bap+0, 0x1.0953f419900a7p+0, 0x1p+0,
      0x1.e608cfd9a47acp-1, 0x1.ca4b31f026aap-1,  0x1.b2036576afce6p-1, 0x1.9c2d163a1aa2dp-1, 0x1.886e6037841edp-1,
      0x1.767dcf5534862p-1,
  };
  static constexpr double log[16] = {
      -0x1.57bf7808caadep-2, -0x1.2bef0a7c06ddbp-2, -0x1.01eae7f513a67p-2, -0x1.b31d8a68224e9p-3, -0x1.6574f0ac07758p-3,
      -0x1.1aa2bc79c81p-3,   -0x1.a4e76ce8c0e5ep-4, -0x1.1973c5a611cccp-4, -0x1.252f438e10c1ep-5, 0x0p+0,
      0x1.aa5aa5df25984p-5,  0x1.c5e53aa362eb4p-4,  0x1.526e57720db08p-3,  0x1.bc2860d22477p-3,   0x1.1058bc8a07ee1p-2,
      0x1.4043057b6ee09p-2,
  };
};

// log(x) of a normal, positive, finite x.
[[gnu::always_inline]] inline float glibc_log(float x) {
  // x = 2^k z with z in [0x1.66p-1, 0x1.66p0); the four bits below the exponent say which sixteenth.
  const uint32_t above = __builtin_bit_cast(uint32_t, x) - 0x3f330000U;
  const int64_t i = (above >> 19) & 15U;  // 64 bits wide, as the table entries: GCC vectorizes such look-ups only
  const int32_t k = static_cast<int32_t>(above) >> 23;
  const double z = __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, x) - (above & 0xff800000U));
  const double r = z * LogTable::inverse[i] - 1.0;
  const double y0 = LogTable::log[i] + static_cast<double>(k) * 0x1.62e42fefa39efp-1;
  const double r2 = r * r;
  double y = 0x1.5575b0be00b6ap-2 * r + -0x1.ffffef20a4123p-2;
  y = -0x1.00ea348b88334p-2 * r2 + y;
  return static_cast<float>(y * r2 + (y0 + r));
}

// Sine and cosine of 0 <= x < 120.
[[gnu::always_inline]] inline void glibc_sin_cos(float angle, float* sine, float* cosine) {
  const double x0 = angle;
  // n = round(x * 2/pi), by a product that is scaled by 2^24 so that truncation and a shift round it.
  const int32_t n = (static_cast<int32_t>(x0 * 0x1.45F306DC9C883p+23) + 0x800000) >> 24;
  const double x = x0 - static_cast<double>(n) * 0x1.921FB54442D18p0;
  const double x2 = x * x;

  const double x3 = x * x2;
  const double s1 = 0x1.1107605230bc4p-7 + x2 * -0x1.994eb3774cf24p-13;
  const double s0 = x + x3 * -0x1.555545995a603p-3;
  const float s = static_cast<float>(s0 + (x3 * x2) * s1);

  const double x4 = x2 * x2;
  const double c2 = -0x1.6c087e89a359dp-10 + x2 * 0x1.99343027bf8c3p-16;
  const double c1 = 1.0 + x2 * -0x1.ffffffd0c621cp-2;
  const double c0 = c1 + x4 * 0x1.55553e1068f19p-5;
  const float c = static_cast<float>(c0 + (x4 * x2) * c2);

  // Each quarter turn swaps the two and changes one sign.
  const uint32_t quarter = static_cast<uint32_t>(n);
  const uint32_t swap = 0U - (quarter & 1U);
  const uint32_t s_bits = (__builtin_bit_cast(uint32_t, s) & ~swap) | (__builtin_bit_cast(uint32_t, c) & swap);
  const uint32_t c_bits = (__builtin_bit_cast(uint32_t, c) & ~swap) | (__builtin_bit_cast(uint32_t, s) & swap);
  *sine = __builtin_bit_cast(float, s_bits ^ ((quarter & 2U) << 30));
  *cosine = __builtin_bit_cast(float, c_bits ^ (((quarter + 1U) & 2U) << 30));
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
