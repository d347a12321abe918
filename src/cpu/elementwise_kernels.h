#pragma once
// What elementwise.cpp takes from unary.isa.cpp and binary.isa.cpp.
#include "cpu/elementwise.h"

namespace vf::cpu {

struct UnaryKernels {
  UnaryLoop (*loop)(UnaryOp op, DType dtype);
};
struct BinaryKernels {
  BinaryLoops (*loops)(BinaryOp op, DType dtype);
};

}  // namespace vf::cpu
