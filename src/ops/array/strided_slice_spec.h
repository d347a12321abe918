#pragma once
// What TensorFlow's StridedSlice means by begin, end, strides and its masks, for one shape.
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "varflow/graph.h"
#include "varflow/shape.h"

namespace vf {

// The attributes begin_mask, end_mask, ...: bit i speaks of entry i of begin, end and strides.
struct SliceMasks {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t ellipsis = 0;
  int64_t new_axis = 0;
  int64_t shrink_axis = 0;
  explicit SliceMasks(const Node& node);
};

// A slice of all dimensions of the input. Sizes are unknown (-1) where the shape's or the bounds are.
struct DenseSlice {
  std::array<int64_t, Shape::kMaxRank> begin{};
  std::array<int64_t, Shape::kMaxRank> sizes{};
  std::array<int64_t, Shape::kMaxRank> strides{};
  int rank = 0;
  Shape result;  // with dimensions of one element dropped and added
};

// `begin` and `end` may be empty: then unknown; a dimension that is dropped begins at 0. Allocates nothing but the text
// of an error: `fail` throws it.
DenseSlice dense_slice(const Shape& shape, std::span<const int64_t> begin, std::span<const int64_t> end,
                       std::span<const int64_t> strides, const SliceMasks& masks,
                       const std::function<void(const std::string&)>& fail);

}  // namespace vf
