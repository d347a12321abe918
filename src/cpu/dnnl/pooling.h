#pragma once
// Max and average pooling of NHWC activations as TensorFlow computes them (an average counts only elements inside the
// image). Rules for threads, pointers and scratch as in convolution.h. The gradient of max pooling is
// cpu/max_pool_gradient.h: oneDNN's needs a record that the forward pass writes, which TensorFlow's op does not have.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cpu/pooling_shape.h"
#include "varflow/dtype.h"

namespace vf::cpu::dnnl {

class Primitive;

enum class PoolingKind : uint8_t { Max, Average };

class PoolingForward {
 public:
  // nullptr for other dtypes than float, and where a padding is as large as the window.
  static std::unique_ptr<PoolingForward> make(PoolingKind kind, const PoolingShape& shape, DType dtype, int threads);
  ~PoolingForward();
  size_t scratch_bytes() const;
  std::string implementation() const;
  // source [batch, in_h, in_w, channels]; destination [batch, out_h, out_w, channels]. Max ignores NaN; the largest of
  // nothing but NaN and -inf is the lowest finite float, as in TensorFlow.
  void run(const void* source, void* destination, void* scratch) const;

 private:
  PoolingForward();
  std::unique_ptr<Primitive> primitive_;  // none: nothing to compute
};

class AveragePoolingBackward {
 public:
  static std::unique_ptr<AveragePoolingBackward> make(const PoolingShape& shape, DType dtype, int threads);
  ~AveragePoolingBackward();
  size_t scratch_bytes() const;
  std::string implementation() const;
  // Writes all of d_source [batch, in_h, in_w, channels].
  void run(const void* d_destination, void* d_source, void* scratch) const;

 private:
  AveragePoolingBackward();
  std::unique_ptr<Primitive> primitive_;  // none: the gradient is zero
  size_t result_bytes_ = 0;
};

}  // namespace vf::cpu::dnnl
