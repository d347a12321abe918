#pragma once
#include <cstdint>

#include "varflow/tensor.h"

namespace vf::bench {

// Numbers of [low, high) that look random and are the same everywhere: the upper bits of a linear congruential
// generator with the constants of Knuth's MMIX.
inline Tensor noise(const Shape& shape, float low, float high, uint64_t seed) {
  Tensor t(DType::Float, shape);
  uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (int64_t i = 0; i < t.num_elements(); ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    t.data<float>()[i] = low + (high - low) * static_cast<float>(state >> 40) * 0x1p-24F;
  }
  return t;
}

}  // namespace vf::bench
