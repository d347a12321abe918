#pragma once
// Vectors and walks that the passes of batch normalization share, for .isa.cpp files alone (internal linkage).
#include <cstdint>
#include <cstring>

namespace vf::cpu::VF_ISA {
namespace {

// The doubles that one register holds.
#if defined(__AVX512F__)
inline constexpr int kDoubles = 8;
#elif defined(__AVX2__)
inline constexpr int kDoubles = 4;
#else
inline constexpr int kDoubles = 2;
#endif
inline constexpr int kFloats = 2 * kDoubles;

// Vectors of GCC and Clang.
template <int kLanes>
struct Vector {
  typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
  typedef double Doubles __attribute__((vector_size(kLanes * sizeof(double))));
  static Floats load(const float* from) {
    Floats value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static Doubles load(const double* from) {
    Doubles value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static Doubles widen(auto narrow) { return __builtin_convertvector(narrow, Doubles); }
};

// f.template operator()<kLanes, kVectors>(c) for all channels, the last ones in ever narrower vectors.
template <int kLanes, int kVectors, class F>
inline void over_channels(int64_t channels, int64_t c, F f) {
  for (; c + kLanes * kVectors <= channels; c += kLanes * kVectors) f.template operator()<kLanes, kVectors>(c);
  if constexpr (kVectors > 1)
    over_channels<kLanes, 1>(channels, c, f);
  else if constexpr (kLanes > 1)
    over_channels<kLanes / 2, 1>(channels, c, f);
}

// f(first, rows) for blocks of rows that stay in the first-level cache while their channels are walked.
template <class F>
inline void over_blocks(int64_t rows, int64_t channels, F f) {
  constexpr int64_t kBlock = 2048, kLeast = 4, kMost = 64;  // floats, rows
  const int64_t fit = kBlock / channels, height = fit < kLeast ? kLeast : fit > kMost ? kMost : fit;
  for (int64_t i = 0; i < rows; i += height) f(i, i + height <= rows ? height : rows - i);
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
