#pragma once
// What reduce.cpp takes from reduce.isa.cpp.
#include <cstdint>

#include "cpu/isa.h"
#include "cpu/reduce.h"

namespace vf::cpu {

// Widest piece of a row that `columns` takes.
inline constexpr int64_t kColumns = 512;

// All in elements. Partial results are float for half and bfloat16, else of the type itself.
struct ReduceLoops {
  // y[i] = the join of x[i * stride .. i * stride + n).
  void (*rows)(const void* x, void* y, int64_t rows, int64_t n, int64_t stride);
  // y[j] = the join over i < rows of x[i * stride + j], j < width <= kColumns.
  void (*columns)(const void* x, void* y, int64_t rows, int64_t width, int64_t stride);
  // Partial results to results: rounds, and divides by `count` where that is not 1. May run in place where both types
  // agree.
  void (*finish)(const void* partial, void* y, int64_t n, int64_t count);
};

// As arg_max and arg_min for outer index 0, columns [0, width) of `inner`.
using ArgLoop = void (*)(const void* x, void* y, int64_t count, int64_t inner, int64_t width);

struct ReduceKernels {
  const ReduceLoops* (*loops)(ReduceOp op, DType dtype);
  ArgLoop (*arg)(bool greatest, DType dtype, DType index_dtype);
};

}  // namespace vf::cpu
