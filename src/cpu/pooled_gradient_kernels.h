#pragma once
// The loops of pooled_gradient.h, compiled per instruction set. Channels are multiples of 16.
#include <cstdint>

#include "cpu/isa.h"

namespace vf::cpu {

struct PooledGradientKernels {
  // sums[c] += sum over the rows of gradients where pooled is positive.
  void (*bias)(const float* pooled, const float* gradients, int64_t rows, int64_t channels, float* sums);
  // For `count` windows side by side and 16 channels: from two rows of activations (`row` floats apart, pixels
  // `channels` apart) which element takes the gradient, 0 to 3, and the gradient that it takes. [count][16] each.
  void (*choose)(const float* activations, const float* gradients, int64_t row, int64_t channels, int64_t count,
                 int32_t* places, float* shares);
  // sums[tap][16] += sum over windows of share * patches[window][tap][place], for taps of [first, last), at most 8;
  // patches has `taps` taps of 4 floats for each window and 12 floats more at the end.
  void (*add_taps)(const float* patches, int64_t taps, const int32_t* places, const float* shares, int64_t count,
                   int64_t first, int64_t last, float* sums);
};
const PooledGradientKernels& pooled_gradient_kernels(Isa isa);

}  // namespace vf::cpu
