#include "ops/array/strided_slice_spec.h"

#include <algorithm>
#include <bit>

namespace vf {
namespace {

bool bit(int64_t mask, int i) { return (mask >> i & 1) != 0; }

// First and last place that a bound may name, by the direction of the stride.
int64_t bounded(int64_t place, int64_t size, bool forward) {
  const int64_t from_start = place < 0 ? place + size : place;
  return forward ? std::clamp<int64_t>(from_start, 0, size) : std::clamp<int64_t>(from_start, -1, size - 1);
}

}  // namespace

SliceMasks::SliceMasks(const Node& node)
    : begin(node.attr<int64_t>("begin_mask")),
      end(node.attr<int64_t>("end_mask")),
      ellipsis(node.attr<int64_t>("ellipsis_mask")),
      new_axis(node.attr<int64_t>("new_axis_mask")),
      shrink_axis(node.attr<int64_t>("shrink_axis_mask")) {}

DenseSlice dense_slice(const Shape& shape, std::span<const int64_t> begin, std::span<const int64_t> end,
                       std::span<const int64_t> strides, const SliceMasks& masks,
                       const std::function<void(const std::string&)>& fail) {
  const int entries = static_cast<int>(strides.size());
  const int64_t within = entries < 63 ? (int64_t{1} << entries) - 1 : -1;
  if (std::popcount(static_cast<uint64_t>(masks.ellipsis & within)) > 1)
    fail("Multiple ellipses in slice spec not allowed");
  const int ellipsis = (masks.ellipsis & within) != 0 ? std::countr_zero(static_cast<uint64_t>(masks.ellipsis))
                                                      : entries;  // all dimensions that are left over follow
  int consumed = 0;  // dimensions that entries other than the ellipsis speak of
  for (int i = 0; i < entries; ++i)
    if (i != ellipsis && !bit(masks.new_axis, i)) ++consumed;
  if (consumed > shape.rank())
    fail("Index out of range using input dim " + std::to_string(shape.rank()) + "; input has only " +
         std::to_string(shape.rank()) + " dims");

  DenseSlice d;
  d.rank = shape.rank();
  int at = 0;
  const auto whole = [&](int count) {
    for (int k = 0; k < count; ++k, ++at) {
      d.begin[static_cast<size_t>(at)] = 0;
      d.sizes[static_cast<size_t>(at)] = shape[at];
      d.strides[static_cast<size_t>(at)] = 1;
      d.result.add_dim(shape[at]);
    }
  };
  for (int i = 0; i <= entries; ++i) {
    if (i == ellipsis) whole(shape.rank() - consumed);
    if (i == ellipsis || i == entries) continue;
    if (bit(masks.new_axis, i)) {
      d.result.add_dim(1);
      continue;
    }
    const auto k = static_cast<size_t>(i);
    const int64_t stride = strides[k];
    const int64_t size = shape[at];
    if (stride == 0) fail("strides[" + std::to_string(i) + "] must be non-zero");
    int64_t first = 0;
    int64_t count = Shape::kUnknown;
    if (bit(masks.shrink_axis, i)) {
      if (stride < 0) fail("only stride 1 allowed on non-range indexing.");
      count = 1;
      if (!begin.empty()) {
        first = begin[k] < 0 && size >= 0 ? begin[k] + size : begin[k];
        if (size >= 0 && (first < 0 || first >= size))
          fail("slice index " + std::to_string(begin[k]) + " of dimension " + std::to_string(at) + " out of bounds.");
      }
    } else {
      const bool all_begin = bit(masks.begin, i);
      const bool all_end = bit(masks.end, i);
      if (size >= 0 && (all_begin || !begin.empty()) && (all_end || !end.empty())) {
        const bool forward = stride > 0;
        first = all_begin ? (forward ? 0 : size - 1) : bounded(begin[k], size, forward);
        const int64_t last = all_end ? (forward ? size : -1) : bounded(end[k], size, forward);
        const int64_t length = last - first;
        count = length == 0 || (length < 0) != (stride < 0) ? 0 : length / stride + (length % stride != 0 ? 1 : 0);
      }
      d.result.add_dim(count);
    }
    d.begin[static_cast<size_t>(at)] = first;
    d.sizes[static_cast<size_t>(at)] = count;
    d.strides[static_cast<size_t>(at)] = stride;
    ++at;
  }
  return d;
}

}  // namespace vf
