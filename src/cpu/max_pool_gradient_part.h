#pragma once
// One image and range of channels of a max-pool gradient: what the loops compiled per instruction set compute.
#include "cpu/isa.h"
#include "cpu/pooling_shape.h"

namespace vf::cpu {

// Channels of one part, where images are too few for the threads and are split by channels.
constexpr int64_t kMaxPoolTile = 64;

struct MaxPoolGradientPart {
  const PoolingShape& shape;
  const float* source;
  const float* d_destination;
  float* d_source;
  int64_t image, first_channel, last_channel;
  bool relu;
};

struct MaxPoolGradientKernels {
  void (*part)(const MaxPoolGradientPart& part);
};
const MaxPoolGradientKernels& max_pool_gradient_kernels(Isa isa);

}  // namespace vf::cpu
