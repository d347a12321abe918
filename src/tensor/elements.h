#pragma once
// Elements of any dtype, and small integer tensors as numbers.
#include <cstdint>
#include <vector>

#include "varflow/tensor.h"

namespace vf {

// Copies n elements of any dtype; no overlap.
void copy_elements(DType dtype, const void* from, void* to, int64_t n);

// The values of a tensor of integers.
std::vector<int64_t> integers(const Tensor& t);

}  // namespace vf
