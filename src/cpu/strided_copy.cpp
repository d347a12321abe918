#include "cpu/strided_copy.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/parallel.h"
#include "cpu/elementwise.h"
#include "varflow/error.h"

namespace vf::cpu {
namespace {

// Side of the squares in which a transpose goes through memory: whole cache lines on both sides.
template <class T>
constexpr int64_t kTile = sizeof(T) >= 2 ? 32 : 64;

struct Bytes16 {
  uint64_t low;
  uint64_t high;
};

using Four = uint32_t __attribute__((vector_size(16)));
using UnalignedFour = uint32_t __attribute__((vector_size(16), aligned(4), may_alias));

inline Four load_four(const uint32_t* x) { return *reinterpret_cast<const UnalignedFour*>(x); }
inline void store_four(Four v, uint32_t* y) { *reinterpret_cast<UnalignedFour*>(y) = v; }

// 4 x 4 words: y[i * to + k] = x[k * from + i].
inline void transpose_four(const uint32_t* x, int64_t from, uint32_t* y, int64_t to) {
  const Four a = load_four(x);
  const Four b = load_four(x + from);
  const Four c = load_four(x + 2 * from);
  const Four d = load_four(x + 3 * from);
  const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store_four(__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), y);
  store_four(__builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7), y + to);
  store_four(__builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), y + 2 * to);
  store_four(__builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7), y + 3 * to);
}

// y[i * to + k] = x[k * from + i], i < rows, k < columns, both at most kTile. Through a buffer, so that a line is
// touched once however badly the strides fall onto the sets of the cache.
template <class T>
void transpose_tile(const T* x, int64_t from, T* y, int64_t to, int64_t rows, int64_t columns) {
  constexpr int64_t kSide = kTile<T>;
  alignas(64) T tile[kSide * kSide];
  for (int64_t k = 0; k < columns; ++k)
    for (int64_t i = 0; i < rows; ++i) tile[k * kSide + i] = x[k * from + i];
  int64_t done_rows = 0;
  int64_t done_columns = 0;
  if constexpr (sizeof(T) == 4) {
    done_rows = rows / 4 * 4;
    done_columns = columns / 4 * 4;
    for (int64_t i = 0; i < done_rows; i += 4)
      for (int64_t k = 0; k < done_columns; k += 4) transpose_four(tile + k * kSide + i, kSide, y + i * to + k, to);
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = i < done_rows ? done_columns : 0; k < columns; ++k) y[i * to + k] = tile[k * kSide + i];
}

template <class T>
void copy_row(const T* x, T* y, const StridedCopy::Dim& dim) {
  if (dim.to == 1 && dim.from == 1) {
    std::memcpy(y, x, static_cast<size_t>(dim.size) * sizeof(T));
  } else if (dim.to == 1 && dim.from == 0) {
    const T value = *x;
    for (int64_t i = 0; i < dim.size; ++i) y[i] = value;
  } else {
    for (int64_t i = 0; i < dim.size; ++i) y[i * dim.to] = x[i * dim.from];
  }
}

// Walks the outer dimensions: position `at` of their product, its offsets in source and destination.
class Walker {
 public:
  Walker(std::span<const StridedCopy::Dim> dims, int64_t at) : dims_(dims) {
    for (size_t i = dims.size(); i-- > 0;) {
      index_[i] = at % dims[i].size;
      at /= dims[i].size;
      from += index_[i] * dims[i].from;
      to += index_[i] * dims[i].to;
    }
  }
  void next() {
    for (size_t i = dims_.size(); i-- > 0;) {
      from += dims_[i].from;
      to += dims_[i].to;
      if (++index_[i] < dims_[i].size) return;
      index_[i] = 0;
      from -= dims_[i].size * dims_[i].from;
      to -= dims_[i].size * dims_[i].to;
    }
  }
  int64_t from = 0;
  int64_t to = 0;

 private:
  std::span<const StridedCopy::Dim> dims_;
  std::array<int64_t, 2 * Shape::kMaxRank> index_{};
};

int64_t product(std::span<const StridedCopy::Dim> dims) {
  int64_t n = 1;
  for (const auto& dim : dims) n *= dim.size;
  return n;
}

// A row that may be cut anywhere for threads, where there is nothing outside it.
template <class T>
void copy_one(const T* x, T* y, const StridedCopy::Dim& row, int threads) {
  parallel_for(threads, row.size, kGrain, [&](int64_t begin, int64_t end) {
    copy_row(x + begin * row.from, y + begin * row.to, {end - begin, row.from, row.to});
  });
}

template <class T>
void copy_rows(const T* x, T* y, std::span<const StridedCopy::Dim> dims, int threads) {
  const StridedCopy::Dim row = dims.back();
  const auto outer = dims.first(dims.size() - 1);
  if (outer.empty()) return copy_one(x, y, row, threads);
  parallel_for(threads, product(outer), std::max<int64_t>(1, kGrain / row.size), [&](int64_t begin, int64_t end) {
    Walker walker(outer, begin);
    for (int64_t i = begin; i < end; ++i, walker.next()) copy_row(x + walker.from, y + walker.to, row);
  });
}

// The last dimension is contiguous in the destination, `across` in the source.
template <class T>
void copy_transposed(const T* x, T* y, std::span<const StridedCopy::Dim> dims, size_t across, int threads) {
  constexpr int64_t kSide = kTile<T>;
  const StridedCopy::Dim inner = dims.back();
  const StridedCopy::Dim other = dims[across];
  const int64_t bands = (other.size + kSide - 1) / kSide;
  std::array<StridedCopy::Dim, 2 * Shape::kMaxRank> places{};
  std::copy(dims.begin(), dims.end() - 1, places.begin());
  places[across] = {bands, kSide, kSide * other.to};
  const std::span<const StridedCopy::Dim> outer(places.data(), dims.size() - 1);
  const int64_t band = std::min(kSide, other.size) * inner.size;
  parallel_for(threads, product(outer), std::max<int64_t>(1, kGrain / band), [&](int64_t begin, int64_t end) {
    // Position in the band dimension, to know the height of the last band.
    int64_t below = 1;
    for (size_t i = across + 1; i < outer.size(); ++i) below *= outer[i].size;
    Walker walker(outer, begin);
    for (int64_t item = begin; item < end; ++item, walker.next()) {
      const int64_t rows = std::min(kSide, other.size - item / below % bands * kSide);
      for (int64_t k = 0; k < inner.size; k += kSide)
        transpose_tile(x + walker.from + k * inner.from, inner.from, y + walker.to + k, other.to, rows,
                       std::min(kSide, inner.size - k));
    }
  });
}

template <class T>
void copy(const void* xv, void* yv, std::span<const StridedCopy::Dim> dims, int64_t from, int64_t to, int across,
          int threads) {
  const T* x = static_cast<const T*>(xv) + from;
  T* y = static_cast<T*>(yv) + to;
  if (dims.empty())
    *y = *x;
  else if (across >= 0)
    copy_transposed(x, y, dims, static_cast<size_t>(across), threads);
  else
    copy_rows(x, y, dims, threads);
}

// Element strides of a dense array.
std::array<int64_t, Shape::kMaxRank> dense_strides(const Shape& shape) {
  std::array<int64_t, Shape::kMaxRank> strides{};
  int64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = stride;
    stride *= shape[i];
  }
  return strides;
}

void check(bool right, const std::string& message) {
  if (!right) throw Error(Code::InvalidArgument, message);
}

}  // namespace

StridedCopy::StridedCopy(size_t element_size, std::span<const Dim> dims, int64_t from_start, int64_t to_start)
    : element_size_(element_size), from_start_(from_start), to_start_(to_start) {
  std::vector<Dim> sorted;
  for (const Dim& dim : dims) {
    total_ *= dim.size;
    if (dim.size != 1) sorted.push_back(dim);
  }
  if (total_ == 0) return;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Dim& a, const Dim& b) { return std::llabs(a.to) > std::llabs(b.to); });
  for (const Dim& dim : sorted) {
    if (!dims_.empty()) {
      Dim& outer = dims_.back();
      if (outer.from == dim.from * dim.size && outer.to == dim.to * dim.size) {
        outer = {outer.size * dim.size, dim.from, dim.to};
        continue;
      }
    }
    dims_.push_back(dim);
  }
  if (dims_.empty() || dims_.back().to != 1 || dims_.back().from == 1 || dims_.back().from == 0) return;
  for (size_t i = 0; i + 1 < dims_.size(); ++i)
    if (dims_[i].from == 1 && dims_[i].size >= 4) transposed_ = static_cast<int>(i);
}

void StridedCopy::run(const void* x, void* y, int threads) const {
  if (total_ == 0) return;
  switch (element_size_) {
    case 1: return copy<uint8_t>(x, y, dims_, from_start_, to_start_, transposed_, threads);
    case 2: return copy<uint16_t>(x, y, dims_, from_start_, to_start_, transposed_, threads);
    case 4: return copy<uint32_t>(x, y, dims_, from_start_, to_start_, transposed_, threads);
    case 8: return copy<uint64_t>(x, y, dims_, from_start_, to_start_, transposed_, threads);
    case 16: return copy<Bytes16>(x, y, dims_, from_start_, to_start_, transposed_, threads);
    default: throw Error(Code::Internal, "no copy of elements of " + std::to_string(element_size_) + " bytes");
  }
}

StridedCopy StridedCopy::inverse() const {
  if (total_ == 0) return *this;
  std::vector<Dim> dims;
  for (const Dim& dim : dims_) dims.push_back({dim.size, dim.to, dim.from});
  return StridedCopy(element_size_, dims, to_start_, from_start_);
}

StridedCopy transpose_plan(size_t element_size, const Shape& shape, std::span<const int64_t> permutation) {
  const auto rank = static_cast<size_t>(shape.rank());
  check(permutation.size() == rank, "transpose expects a vector of size " + std::to_string(rank) +
                                        ". But input(1) is a vector of size " + std::to_string(permutation.size()));
  const auto strides = dense_strides(shape);
  std::array<bool, Shape::kMaxRank> seen{};
  std::array<StridedCopy::Dim, Shape::kMaxRank> dims{};
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    const int64_t axis = permutation[i];
    check(axis >= 0 && axis < shape.rank(),
          std::to_string(axis) + " is out of range [0 .. " + std::to_string(rank) + ")");
    check(!seen[static_cast<size_t>(axis)], std::to_string(axis) + " is twice in the permutation");
    seen[static_cast<size_t>(axis)] = true;
    dims[i] = {shape[static_cast<int>(axis)], strides[static_cast<size_t>(axis)], stride};
    stride *= dims[i].size;
  }
  return StridedCopy(element_size, std::span(dims.data(), rank), 0, 0);
}

StridedCopy slice_plan(size_t element_size, const Shape& shape, std::span<const int64_t> begin,
                       std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  const auto rank = static_cast<size_t>(shape.rank());
  check(begin.size() == rank && sizes.size() == rank && (strides.empty() || strides.size() == rank),
        "slice of " + shape.str() + " needs a begin, a size and a stride for each dimension");
  const auto dense = dense_strides(shape);
  std::array<StridedCopy::Dim, Shape::kMaxRank> dims{};
  int64_t start = 0;
  int64_t to = 1;
  for (size_t i = rank; i-- > 0;) {
    const int64_t step = strides.empty() ? 1 : strides[i];
    const int64_t size = shape[static_cast<int>(i)];
    const bool inside = sizes[i] >= 0 && step != 0 && (sizes[i] == 0 || (begin[i] >= 0 && begin[i] < size));
    // By division: begin + (sizes - 1) * step may not fit.
    const bool fits = inside && (sizes[i] <= 1 || (step > 0 ? (size - 1 - begin[i]) / step >= sizes[i] - 1
                                                            : step >= -size && begin[i] / -step >= sizes[i] - 1));
    check(fits, "slice of dimension " + std::to_string(i) + " leaves " + shape.str() + ": begin " +
                    std::to_string(begin[i]) + ", size " + std::to_string(sizes[i]) + ", stride " +
                    std::to_string(step));
    start += sizes[i] == 0 ? 0 : begin[i] * dense[i];
    dims[i] = {sizes[i], sizes[i] <= 1 ? 0 : step * dense[i], to};
    to *= sizes[i];
  }
  return StridedCopy(element_size, std::span(dims.data(), rank), start, 0);
}

StridedCopy broadcast_plan(size_t element_size, const Shape& shape, const Shape& to) {
  check(shape.rank() <= to.rank(), "Incompatible shapes: " + shape.str() + " vs. " + to.str());
  const auto from = dense_strides(shape);
  const auto dense = dense_strides(to);
  std::array<StridedCopy::Dim, Shape::kMaxRank> dims{};
  const int missing = to.rank() - shape.rank();
  for (int i = 0; i < to.rank(); ++i) {
    const int64_t size = i < missing ? 1 : shape[i - missing];
    check(size == 1 || size == to[i], "Incompatible shapes: " + shape.str() + " vs. " + to.str());
    dims[static_cast<size_t>(i)] = {to[i], size == 1 ? 0 : from[static_cast<size_t>(i - missing)],
                                    dense[static_cast<size_t>(i)]};
  }
  return StridedCopy(element_size, std::span(dims.data(), static_cast<size_t>(to.rank())), 0, 0);
}

StridedCopy tile_plan(size_t element_size, const Shape& shape, std::span<const int64_t> multiples) {
  const auto rank = static_cast<size_t>(shape.rank());
  check(multiples.size() == rank, "Expected multiples argument to be a vector of length " + std::to_string(rank) +
                                      " but got length " + std::to_string(multiples.size()));
  const auto from = dense_strides(shape);
  std::vector<StridedCopy::Dim> dims;
  int64_t to = 1;
  for (size_t i = rank; i-- > 0;) {
    const int64_t size = shape[static_cast<int>(i)];
    check(multiples[i] >= 0,
          "Expected multiples[" + std::to_string(i) + "] >= 0, but got " + std::to_string(multiples[i]));
    dims.push_back({size, from[i], to});
    dims.push_back({multiples[i], 0, to * size});
    to *= size * multiples[i];
  }
  std::reverse(dims.begin(), dims.end());
  return StridedCopy(element_size, dims, 0, 0);
}

}  // namespace vf::cpu
