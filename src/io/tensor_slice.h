#pragma once
// Rectangular parts of a tensor: how checkpoints name them, and how a tensor is put together from them.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/tensor.h"

namespace vf::io {

struct Extent {
  static constexpr int64_t kWhole = -1;
  int64_t start = 0;
  int64_t length = kWhole;  // kWhole: all of the dimension
  friend bool operator==(const Extent&, const Extent&) = default;
};
using TensorSlice = std::vector<Extent>;  // one extent a dimension

// TensorFlow's shape_and_slice: "" is the whole tensor, "5 2 0,3:-" rows 0 to 2 of a tensor of shape [5,2].
struct ShapeAndSlice {
  bool whole = true;  // nothing was given; the rest is empty
  Shape shape;        // of the full tensor
  TensorSlice slice;
};
// InvalidArgument unless well-formed and inside of the shape.
ShapeAndSlice parse_shape_and_slice(const std::string& text);

bool fits(const TensorSlice& slice, const Shape& shape);
// The slice with numbers in every dimension. InvalidArgument where it does not fit the shape.
TensorSlice resolve(const TensorSlice& slice, const Shape& shape);
bool covers_all(const TensorSlice& slice, const Shape& shape);
// Shape of a resolved slice.
Shape shape_of(const TensorSlice& resolved);
// "0,3:-"
std::string slice_str(const TensorSlice& slice);
// The key under which a checkpoint's index has the slice (docs/formats/checkpoint-v2.md).
std::string slice_key(std::string_view name, const TensorSlice& slice);

// What two resolved slices share; false where nothing.
bool intersect(const TensorSlice& a, const TensorSlice& b, TensorSlice* common);
// True if each element of `whole` is in exactly one of `parts`, which all lie inside of it. Resolved slices.
bool tiles_exactly(const TensorSlice& whole, const std::vector<TensorSlice>& parts);
// Copies the box `common`, in coordinates of the full tensor, from a tensor that holds the box `from_box` of it to
// one that holds `to_box`. Resolved slices; same dtypes.
void copy_box(const TensorSlice& common, const Tensor& from, const TensorSlice& from_box, Tensor* to,
              const TensorSlice& to_box);

}  // namespace vf::io
