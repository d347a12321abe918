#pragma once
// The text for an index that names no row.
#include <string>

#include "ops/elements.h"
#include "varflow/error.h"
#include "varflow/shape.h"

namespace vf {

// "indices[0,1] = 7 is not in [0, 3)", for element `at` of a tensor of that shape.
[[noreturn]] inline void fail_index(const std::string& name, const Shape& shape, int64_t at, int64_t value,
                                    int64_t rows) {
  std::string place;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    place = std::to_string(at % shape[i]) + (place.empty() ? "" : "," + place);
    at /= shape[i];
  }
  throw Error(Code::InvalidArgument, name + (place.empty() ? "" : "[" + place + "]") + " = " + std::to_string(value) +
                                         " is not in [0, " + std::to_string(rows) + ")");
}

}  // namespace vf
