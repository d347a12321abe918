#pragma once
// Integers in raw memory and parts of shapes: what ops of several families need.
#include "tensor/elements.h"
#include "varflow/tensor.h"

namespace vf {

// Integer i of int32 or int64 memory (int8, int16, ... too).
inline int64_t integer_at(DType dtype, const void* p, int64_t i) {
  switch (dtype) {
    case DType::Int64: return static_cast<const int64_t*>(p)[i];
    case DType::Int32: return static_cast<const int32_t*>(p)[i];
    case DType::Int16: return static_cast<const int16_t*>(p)[i];
    case DType::Int8: return static_cast<const int8_t*>(p)[i];
    default: return static_cast<const uint8_t*>(p)[i];
  }
}

// Product of the sizes from dimension `begin` up to `end`.
inline int64_t size_between(const Shape& shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; ++i) n *= shape[i];
  return n;
}

}  // namespace vf
