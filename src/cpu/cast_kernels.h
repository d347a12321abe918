#pragma once
// What cast.cpp takes from cast.isa.cpp.
#include "cpu/cast.h"

namespace vf::cpu {

struct CastKernels {
  CastLoop (*loop)(DType from, DType to);
};

}  // namespace vf::cpu
