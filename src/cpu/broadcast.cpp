#include "cpu/broadcast.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/parallel.h"
#include "varflow/error.h"

namespace vf::cpu {
namespace {

constexpr int64_t kTile = 512;     // elements of a tile of copied operands
constexpr int64_t kShortRow = 64;  // rows below this are not worth a call each

// `count` elements, `stride` (0 or 1) apart.
template <class T>
void copy_run(char* to, const char* from, int64_t count, bool repeat) {
  T* y = reinterpret_cast<T*>(to);
  const T* x = reinterpret_cast<const T*>(from);
  if (repeat) {
    const T value = *x;
    for (int64_t i = 0; i < count; ++i) y[i] = value;
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = x[i];
  }
}

using CopyRun = void (*)(char*, const char*, int64_t, bool);

CopyRun copy_run_of(size_t size) {
  switch (size) {
    case 1: return copy_run<uint8_t>;
    case 2: return copy_run<uint16_t>;
    case 4: return copy_run<uint32_t>;
    default: return copy_run<uint64_t>;
  }
}

}  // namespace

struct BroadcastPlan::Call {
  const BinaryLoops& loops;
  size_t size;
  size_t size_y;
  const char* a;
  const char* b;
  char* y;
};

BroadcastPlan::BroadcastPlan(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<int64_t, Shape::kMaxRank> sizes{};
  int64_t stride_a = 1;
  int64_t stride_b = 1;
  for (int i = 1; i <= rank; ++i) {  // from the last dimension
    const int64_t size_a = i <= a.rank() ? a.dim(-i) : 1;
    const int64_t size_b = i <= b.rank() ? b.dim(-i) : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1)
      throw Error(Code::InvalidArgument, "Incompatible shapes: " + a.str() + " vs. " + b.str());
    const int64_t size = size_a == 1 ? size_b : size_a;
    sizes[static_cast<size_t>(rank - i)] = size;
    add_dim(size, size_a == 1 ? 0 : stride_a, size_b == 1 ? 0 : stride_b);
    stride_a *= size_a;
    stride_b *= size_b;
  }
  shape_ = Shape(std::span<const int64_t>(sizes.data(), static_cast<size_t>(rank)));
  total_ = shape_.num_elements();
  in_order_a_ = a.num_elements() == total_;
  in_order_b_ = b.num_elements() == total_;
}

void BroadcastPlan::add_dim(int64_t size, int64_t stride_a, int64_t stride_b) {
  if (size == 1) return;
  if (rank_ > 0) {
    Dim& inner = dims_[static_cast<size_t>(rank_ - 1)];
    if (stride_a == inner.stride_a * inner.size && stride_b == inner.stride_b * inner.size) {
      inner.size *= size;
      return;
    }
  }
  dims_[static_cast<size_t>(rank_++)] = {size, stride_a, stride_b};
}

int64_t BroadcastPlan::offset(int64_t Dim::*stride, int64_t index) const {
  int64_t at = 0;
  for (int i = 0; i < rank_; ++i) {
    const Dim& dim = dims_[static_cast<size_t>(i)];
    at += index % dim.size * (dim.*stride);
    index /= dim.size;
  }
  return at;
}

void BroadcastPlan::run(BinaryOp op, DType dtype, const void* a, const void* b, void* y, int threads) const {
  const BinaryLoops loops = binary_loops(op, dtype);
  if (!loops) throw Error(Code::Unimplemented, std::string("no such elementwise operation on ") + dtype_name(dtype));
  run(loops, dtype_size(dtype), dtype_size(binary_result(op, dtype)), a, b, y, threads);
}

void BroadcastPlan::run(const BinaryLoops& loops, size_t size, size_t size_y, const void* a, const void* b, void* y,
                        int threads) const {
  const Call call{loops, size, size_y, static_cast<const char*>(a), static_cast<const char*>(b), static_cast<char*>(y)};
  const bool rows = rank_ <= 1 || dims_[0].size >= kShortRow;
  parallel_for(threads, total_, kGrain, [&](int64_t begin, int64_t end) {
    if (rows)
      run_rows(call, begin, end);
    else
      run_tiles(call, begin, end);
  });
}

// A call of the loop for each row of the innermost dimension.
void BroadcastPlan::run_rows(const Call& call, int64_t begin, int64_t end) const {
  const Dim inner = rank_ > 0 ? dims_[0] : Dim{1, 1, 1};
  const BinaryLoop loop = inner.stride_a == 0   ? call.loops.scalar_a
                          : inner.stride_b == 0 ? call.loops.scalar_b
                                                : call.loops.both;
  const auto size = static_cast<int64_t>(call.size);
  for (int64_t at = begin; at < end;) {
    const int64_t count = std::min(end - at, inner.size - at % inner.size);
    loop(call.a + offset(&Dim::stride_a, at) * size, call.b + offset(&Dim::stride_b, at) * size,
         call.y + at * static_cast<int64_t>(call.size_y), count);
    at += count;
  }
}

// Short rows: operands that are not in order are first copied into tiles that stay in the cache.
void BroadcastPlan::run_tiles(const Call& call, int64_t begin, int64_t end) const {
  alignas(64) char tile_a[kTile * sizeof(uint64_t)];
  alignas(64) char tile_b[kTile * sizeof(uint64_t)];
  const auto size = static_cast<int64_t>(call.size);
  // Tiles of whole rows: then an operand that repeats every row (a bias) is copied once.
  const int64_t step = kTile / dims_[0].size * dims_[0].size;
  const bool repeats_a = rank_ == 2 && dims_[1].stride_a == 0;
  const bool repeats_b = rank_ == 2 && dims_[1].stride_b == 0;
  for (int64_t at = begin; at < end; at += step) {
    const int64_t count = std::min(step, end - at);
    const char* a = call.a + at * size;
    const char* b = call.b + at * size;
    if (!in_order_a_) {
      if (at == begin || !repeats_a) fill(tile_a, call.a, call.size, &Dim::stride_a, at, count);
      a = tile_a;
    }
    if (!in_order_b_) {
      if (at == begin || !repeats_b) fill(tile_b, call.b, call.size, &Dim::stride_b, at, count);
      b = tile_b;
    }
    call.loops.both(a, b, call.y + at * static_cast<int64_t>(call.size_y), count);
  }
}

void BroadcastPlan::fill(char* tile, const char* source, size_t size, int64_t Dim::*stride, int64_t begin,
                         int64_t count) const {
  const CopyRun copy = copy_run_of(size);
  const int64_t row = dims_[0].size;
  const bool repeat = dims_[0].*stride == 0;
  for (int64_t at = 0; at < count;) {
    const int64_t part = std::min(count - at, row - (begin + at) % row);
    copy(tile + at * static_cast<int64_t>(size), source + offset(stride, begin + at) * static_cast<int64_t>(size), part,
         repeat);
    at += part;
  }
}

}  // namespace vf::cpu
