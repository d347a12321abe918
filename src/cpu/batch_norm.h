#pragma once
// Batch normalization of NHWC floats, seen as [rows, channels] with rows = batch * height * width, and its gradient,
// in the formulas of TensorFlow's FusedBatchNormV3 and FusedBatchNormGradV3.
//
// Sums over rows are made in double: in float they would put the gradients of a deep network 1e-5 off. Same bits on
// any number of threads and any instruction set.
//
// Variances are the biased ones, divided by rows: TensorFlow's saved variance (reserve_space_2). Its output
// batch_variance is that times rows / (rows - 1), which the caller of this applies, as it does the moving average.
//
// scale, offset, mean, variance and their gradients: [channels]. No rows: statistics and gradients are 0. `scratch`:
// batch_norm_scratch_bytes() of any content, 8-byte aligned, for one call at a time.
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace vf::cpu {

struct BatchNormShape {
  int64_t rows = 0, channels = 0;
  float epsilon = 1e-3F;
};

struct BatchNormOptions {
  int threads = 1;
  bool relu = false;  // y = max(y, 0) in the same pass; a NaN stays one
  Isa isa = active_isa();
};

size_t batch_norm_scratch_bytes(const BatchNormShape& shape);

// y = (x - mean) * (scale / sqrt(variance + epsilon)) + offset. y may be x.
void batch_norm_infer(const BatchNormShape& shape, const float* x, const float* scale, const float* offset,
                      const float* mean, const float* variance, float* y, void* scratch,
                      const BatchNormOptions& options);

// The same by the mean and variance of x, which it writes.
void batch_norm_train(const BatchNormShape& shape, const float* x, const float* scale, const float* offset, float* y,
                      float* mean, float* variance, void* scratch, const BatchNormOptions& options);

struct BatchNormGradient {
  const float* dy;
  const float* x;
  const float* y = nullptr;  // only where a ReLU followed: its result; dy counts where that is above 0
  const float* scale;
  const float* mean;
  const float* variance;
  float* dx;  // may be dy
  float* d_scale;
  float* d_offset;
};

// With `training`, mean and variance are those of x and change with it; else they are constants.
void batch_norm_gradient(const BatchNormShape& shape, bool training, const BatchNormGradient& gradient, void* scratch,
                         int threads, Isa isa = active_isa());

}  // namespace vf::cpu
