#pragma once
// A copy of a box of elements from one strided array into another: transpose, slice, strided slice, broadcast, tile and
// their inverses are all of them such copies, planned once from shapes.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "varflow/shape.h"

namespace vf::cpu {

class StridedCopy {
 public:
  // Strides in elements; `from` is 0 where the source repeats, negative where it is read backwards.
  struct Dim {
    int64_t size;
    int64_t from;
    int64_t to;
  };

  // `element_size` is 1, 2, 4, 8 or 16 bytes for run(), anything for run_objects(). The starts are element offsets of
  // the box's first element.
  StridedCopy(size_t element_size, std::span<const Dim> dims, int64_t from_start, int64_t to_start);

  // x and y do not overlap, or the box's elements in them do not. Same result on any number of threads.
  void run(const void* x, void* y, int threads) const;
  // The same on objects such as std::string: assigned one by one.
  template <class T>
  void run_objects(const T* x, T* y) const {
    each_element(0, from_start_, to_start_, [&](int64_t from, int64_t to) { y[to] = x[from]; });
  }
  // The copy back: what run() would write it reads, and the other way round. The source must not repeat.
  StridedCopy inverse() const;

  int64_t num_elements() const { return total_; }

 private:
  template <class F>
  void each_element(size_t dim, int64_t from, int64_t to, const F& f) const {
    if (total_ == 0) return;
    if (dim == dims_.size()) return f(from, to);
    for (int64_t i = 0; i < dims_[dim].size; ++i)
      each_element(dim + 1, from + i * dims_[dim].from, to + i * dims_[dim].to, f);
  }

  size_t element_size_;
  std::vector<Dim> dims_;  // outermost first, by stride in the destination; merged
  int64_t from_start_;
  int64_t to_start_;
  int64_t total_ = 1;
  int transposed_ = -1;  // the dimension in which the source is contiguous, if that isn't the last one
};

// y[i, j, ...] = x with axis k of y being axis permutation[k] of x. InvalidArgument unless it is a permutation.
StridedCopy transpose_plan(size_t element_size, const Shape& shape, std::span<const int64_t> permutation);
// Elements begin, begin + stride, ... (`sizes` of them) along each axis; all within the shape, strides not 0. Empty
// `strides`: all 1. The inverse puts a slice (or its gradient) into a larger array. InvalidArgument outside the shape.
StridedCopy slice_plan(size_t element_size, const Shape& shape, std::span<const int64_t> begin,
                       std::span<const int64_t> sizes, std::span<const int64_t> strides = {});
// InvalidArgument unless `shape` broadcasts to `to`.
StridedCopy broadcast_plan(size_t element_size, const Shape& shape, const Shape& to);
// Axis i repeated multiples[i] times.
StridedCopy tile_plan(size_t element_size, const Shape& shape, std::span<const int64_t> multiples);

}  // namespace vf::cpu
