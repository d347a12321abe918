#pragma once
// Elements of any dtype, and small integer tensors as numbers: what ops of several families need.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "varflow/tensor.h"

namespace vf {

// Copies n elements of any dtype.
inline void copy_elements(DType dtype, const void* from, void* to, int64_t n) {
  if (dtype == DType::String)
    std::copy_n(static_cast<const std::string*>(from), n, static_cast<std::string*>(to));
  else if (dtype == DType::Variant)
    std::copy_n(static_cast<const Variant*>(from), n, static_cast<Variant*>(to));
  else if (dtype == DType::Resource)
    std::copy_n(static_cast<const ResourceHandle*>(from), n, static_cast<ResourceHandle*>(to));
  else if (n > 0)
    std::memcpy(to, from, static_cast<size_t>(n) * dtype_size(dtype));
}

// The values of an integer tensor.
inline std::vector<int64_t> integers(const Tensor& t) {
  std::vector<int64_t> v(static_cast<size_t>(t.num_elements()));
  for (size_t i = 0; i < v.size(); ++i)
    v[i] = t.dtype() == DType::Int64 ? t.data<int64_t>()[i] : static_cast<int64_t>(t.number(static_cast<int64_t>(i)));
  return v;
}

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
