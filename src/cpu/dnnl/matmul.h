#pragma once
// Matrix products as TensorFlow's MatMul and BatchMatMul compute them, with an optional bias and ReLU behind.
// Rules for threads, pointers and scratch as in convolution.h.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "varflow/dtype.h"

namespace vf::cpu::dnnl {

class Primitive;

// [batch_a..., m, k] x [batch_b..., k, n], all dense and in C order; the batch dims broadcast as in NumPy.
struct MatmulShape {
  std::vector<int64_t> batch_a = {}, batch_b = {};
  int64_t m = 0, k = 0, n = 0;
  bool transpose_a = false;  // a lies as [batch_a..., k, m]
  bool transpose_b = false;  // b lies as [batch_b..., n, k]
  int64_t pitch_a = 0;       // of a without batch: elements from one row as it lies to the next; 0: dense
};

struct MatmulOptions {
  DType dtype = DType::Float;
  int threads = 1;
  bool bias = false;
  bool relu = false;  // max(x, 0) after the bias; a NaN becomes 0
};

class Matmul {
 public:
  // nullptr where oneDNN has no fast implementation. InvalidArgument where the batch dims do not broadcast.
  static std::unique_ptr<Matmul> make(const MatmulShape& shape, const MatmulOptions& options);
  ~Matmul();
  size_t scratch_bytes() const;
  // As ConvolutionPass::reserve.
  void reserve(int runs_at_once);
  std::string implementation() const;
  // bias: [n], nullptr without. k = 0 (zeros) is declined.
  void run(const void* a, const void* b, const void* bias, void* destination, void* scratch) const;

 private:
  Matmul();
  std::unique_ptr<Primitive> primitive_;  // none: nothing to compute
  bool bias_ = false;
  // Where the parts of a, b and the destination lie that each run of the primitive takes, in bytes.
  std::vector<std::array<size_t, 3>> parts_;
};

}  // namespace vf::cpu::dnnl
