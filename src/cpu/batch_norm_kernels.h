#pragma once
// Passes of batch normalization over some rows of [rows, channels]: the loops compiled per instruction set.
#include <cstdint>

#include "cpu/isa.h"

namespace vf::cpu {

// y = (x - mean) * factor + offset; y may be x.
struct BatchNormNormalize {
  int64_t rows, channels;
  const float* x;
  const float *mean, *factor, *offset;
  float* y;
};

// dx = factor * (dy - dy_mean - (x - mean) * slope); dx may be dy.
struct BatchNormChange {
  int64_t rows, channels;
  const float *dy, *x, *y;
  const float *mean, *factor, *slope, *dy_mean;
  float* dx;
};

struct BatchNormKernels {
  // [1]: with a ReLU.
  void (*normalize[2])(const BatchNormNormalize& pass);
  // [training][relu]; dx = factor * dy where not training.
  void (*change[2][2])(const BatchNormChange& pass);
};
const BatchNormKernels& batch_norm_kernels(Isa isa);

// Each adds to two sums a channel, first[channels] and second[channels], by
// blocks of rows that depend on the shape alone.
struct BatchNormSums {
  // x and x^2.
  void (*statistics)(int64_t rows, int64_t channels, const float* x, double* first, double* second);
  // dy and dy * x; [1]: dy counts as 0 where y is not above 0.
  void (*gradients[2])(int64_t rows, int64_t channels, const float* dy, const float* x, const float* y, double* first,
                       double* second);
};
const BatchNormSums& batch_norm_sums(Isa isa);

}  // namespace vf::cpu
