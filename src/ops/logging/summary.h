#pragma once
#include <cstdint>
#include <string>

#include "varflow/dtype.h"
#include "varflow/shape.h"

namespace vf {

// The first `most` elements of a tensor (all where it is negative) as TensorFlow's Print writes them: "[1 2][3...]...".
// Numbers have as many digits as tell them apart.
std::string summary(DType dtype, const Shape& shape, const void* data, int64_t most);

}  // namespace vf
