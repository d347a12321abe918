#pragma once
// What softmax.cpp takes from softmax.isa.cpp; one thread each. The dtypes are checked before.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

struct SoftmaxKernels {
  void (*softmax)(DType dtype, bool logarithm, const void* x, void* y, int64_t rows, int64_t columns);
  // `labels`: int64 [rows] where sparse, else as logits.
  void (*cross_entropy)(DType dtype, bool sparse, const void* logits, const void* labels, void* loss, void* backprop,
                        int64_t rows, int64_t columns);
};

}  // namespace vf::cpu
