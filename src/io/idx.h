#pragma once
// IDX, the format of MNIST's images and labels: docs/formats/idx.md.
#include <cstdint>
#include <string>

#include "base/env.h"
#include "varflow/tensor.h"

namespace vf::io {

// The array of an IDX file, plain or gzip'd (told by its first bytes): uint8 for images [count, height, width] (magic
// 0x803) and labels [count] (0x801); any rank from 1 to Shape::kMaxRank, and int8, int16, int32, float, double.
// DataLoss, naming the file and the offset, for a file that is not IDX, ends early ("truncated image file"), goes on
// after its array, or whose gzip checksum is wrong; ResourceExhausted where the array would be larger than
// `most_bytes`. Nothing is allocated for an array that the file is too small to hold.
Tensor read_idx(Env& env, const std::string& path, uint64_t most_bytes = uint64_t{1} << 32);

}  // namespace vf::io
