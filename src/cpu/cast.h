#pragma once
// Conversion between all plain numbers and bool.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

using CastLoop = void (*)(const void* x, void* y, int64_t n);

// Null unless both are numbers or bool (complex has none). Floats are cut towards 0; what does not fit an integer gives
// what TensorFlow 2.21 gives on arrays: the least int32 or int64; 8 and 16 bits take the low bits of the conversion to
// int32; uint32 and uint64 the number with only its highest bit set (negative numbers that fit the signed type keep its
// bits). To bool: not 0 (so NaN is true). Half and bfloat16 go through float. One thread, no overlap.
CastLoop cast_loop(DType from, DType to, Isa isa = active_isa());

// Unimplemented where there is no such loop.
void cast(DType from, DType to, const void* x, void* y, int64_t n, int threads);

}  // namespace vf::cpu
