#pragma once
// Batch normalization of NHWC activations as TensorFlow's FusedBatchNormV3 and FusedBatchNormGradV3 need it, over
// [rows, channels] with rows = images * pixels. Rules for threads, pointers and scratch as in convolution.h.
//
// Variances here are always the biased ones, divided by rows: TensorFlow's saved variance (reserve_space_2). Its
// output batch_variance is that times rows / (rows - 1), which the caller of this applies, as it does the moving
// average (exponential_avg_factor).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "varflow/dtype.h"

namespace vf::cpu::dnnl {

class Primitive;

struct BatchNormShape {
  int64_t images = 0, pixels = 0, channels = 0;  // pixels: height * width; 1 for [batch, channels]
  float epsilon = 1e-3F;

  int64_t rows() const { return images * pixels; }
};

class BatchNormForward {
 public:
  // `training`: statistics are those of the source, and given out; else they are given.
  // nullptr for other dtypes than float and for an empty source.
  static std::unique_ptr<BatchNormForward> make(const BatchNormShape& shape, DType dtype, bool training, int threads);
  ~BatchNormForward();
  size_t scratch_bytes() const;
  std::string implementation() const;
  // source, destination [rows, channels], not the same; scale, shift, mean, variance [channels].
  // destination = (source - mean) / sqrt(variance + epsilon) * scale + shift.
  // Writes mean and variance where made for training.
  void train(const float* source, const float* scale, const float* shift, float* destination, float* mean,
             float* variance, void* scratch) const;
  // Where not made for training; Internal for the wrong one of the two.
  void infer(const float* source, const float* scale, const float* shift, const float* mean, const float* variance,
             float* destination, void* scratch) const;

 private:
  BatchNormForward();
  std::unique_ptr<Primitive> primitive_;
  size_t channels_ = 0, pair_bytes_ = 0;
  bool training_ = false;
};

class BatchNormBackward {
 public:
  // `training`: mean and variance depend on the source, as those of BatchNormForward::train do; else they are
  // constants.
  static std::unique_ptr<BatchNormBackward> make(const BatchNormShape& shape, DType dtype, bool training, int threads);
  ~BatchNormBackward();
  size_t scratch_bytes() const;
  std::string implementation() const;
  // Writes d_source [rows, channels], d_scale and d_shift [channels].
  void run(const float* source, const float* scale, const float* mean, const float* variance,
           const float* d_destination, float* d_source, float* d_scale, float* d_shift, void* scratch) const;

 private:
  BatchNormBackward();
  std::unique_ptr<Primitive> primitive_;
  size_t channels_ = 0, pair_bytes_ = 0;
};

}  // namespace vf::cpu::dnnl
