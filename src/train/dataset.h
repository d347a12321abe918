#pragma once
// Labelled images in memory, and batches of them.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "varflow/tensor.h"

namespace vf::train {

struct Dataset {
  Tensor images;  // uint8 [count, height, width]
  Tensor labels;  // uint8 [count]
  int64_t size() const { return images.shape()[0]; }
  // [height, width, 1]
  Shape image_shape() const { return {images.shape()[1], images.shape()[2], 1}; }
  int classes() const;  // largest label + 1
};

// The IDX files PREFIX-images-idx3-ubyte[.gz] and PREFIX-labels-idx1-ubyte[.gz] of a folder. NotFound names both;
// InvalidArgument where their counts differ.
Dataset read_dataset(const std::string& folder, const std::string& prefix);

// Images as floats, pixel / 255, and labels as int32, of the given rows.
struct Batch {
  Tensor images;
  Tensor labels;
};
void fill_batch(const Dataset& data, const int64_t* rows, int64_t count, Batch& batch);

// The order in which an epoch takes the rows: a permutation that depends on seed and epoch alone.
std::vector<int64_t> shuffled_rows(int64_t count, int64_t seed, int64_t epoch);

}  // namespace vf::train
