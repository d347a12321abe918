#pragma once
// What optimizers.cpp takes from optimizers.isa.cpp: one thread each, for float and double.
#include "cpu/optimizers.h"

namespace vf::cpu {

struct OptimizerKernels {
  void (*gradient_descent)(DType dtype, void* w, const void* g, double rate, int64_t n);
  void (*momentum)(DType dtype, void* w, void* a, const void* g, double rate, double momentum, bool nesterov,
                   int64_t n);
  void (*adam)(DType dtype, void* w, void* m, void* v, const void* g, const Adam& adam, int64_t n);
};

}  // namespace vf::cpu
