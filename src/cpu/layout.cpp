#include "cpu/layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/parallel.h"
#include "cpu/elementwise.h"
#include "cpu/select_kernels.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(SelectKernels, select_kernels)

namespace {

struct Bytes16 {
  uint64_t low;
  uint64_t high;
};

// Calls f.operator()<T>() with an unsigned type of `size` bytes.
template <class F>
auto with_size(size_t size, F f) {
  switch (size) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    case 8: return f.template operator()<uint64_t>();
    case 16: return f.template operator()<Bytes16>();
    default: break;
  }
  throw Error(Code::Internal, "no layout of elements of " + std::to_string(size) + " bytes");
}

template <class F>
auto with_index(DType index, F f) {
  switch (index) {
    case DType::Int32: return f.template operator()<int32_t>();
    case DType::Int64: return f.template operator()<int64_t>();
    case DType::UInt8: return f.template operator()<uint8_t>();
    case DType::Int8: return f.template operator()<int8_t>();
    default: break;
  }
  throw Error(Code::Unimplemented, std::string("no indices of ") + dtype_name(index));
}

const char* bytes_of(const void* p) { return static_cast<const char*>(p); }
char* bytes_of(void* p) { return static_cast<char*>(p); }

void check(bool right, const std::string& message) {
  if (!right) throw Error(Code::InvalidArgument, message);
}

// How many rows of `bytes` a second thread is worth.
int64_t rows_grain(int64_t bytes) { return std::max<int64_t>(1, 4 * kGrain / std::max<int64_t>(1, bytes)); }

// Calls copy(part, byte offset in the part, byte offset in the whole, bytes) for each part of each row.
template <class Part, class F>
void each_part(size_t size, int64_t outer, std::span<const Part> parts, int threads, F copy) {
  int64_t whole = 0;
  for (const Part& part : parts) whole += part.inner * static_cast<int64_t>(size);
  if (whole == 0) return;
  parallel_for(threads, outer, rows_grain(whole), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t at = row * whole;
      for (const Part& part : parts) {
        const int64_t bytes = part.inner * static_cast<int64_t>(size);
        if (bytes > 0) copy(part, row * bytes, at, static_cast<size_t>(bytes));
        at += bytes;
      }
    }
  });
}

Shape padded(const Shape& shape, std::span<const int64_t> before, std::span<const int64_t> after, PadMode mode) {
  const auto rank = static_cast<size_t>(shape.rank());
  check(before.size() == rank && after.size() == rank,
        "paddings must have one row for each dimension of " + shape.str());
  Shape result;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t size = shape[static_cast<int>(i)];
    check(before[i] >= 0 && after[i] >= 0,
          "Paddings must be non-negative: " + std::to_string(before[i]) + ", " + std::to_string(after[i]));
    if (mode != PadMode::Constant) {
      const int64_t most = mode == PadMode::Reflect ? size - 1 : size;
      check((before[i] == 0 && after[i] == 0) || (before[i] <= most && after[i] <= most),
            std::string("paddings must be ") + (mode == PadMode::Reflect ? "less than" : "no greater than") +
                " the dimension size: " + std::to_string(before[i]) + ", " + std::to_string(after[i]) + " and " +
                std::to_string(size));
    }
    result.add_dim(before[i] + size + after[i]);
  }
  return result;
}

}  // namespace

void concat(size_t size, int64_t outer, std::span<const ConcatPart> parts, void* y, int threads) {
  each_part(size, outer, parts, threads, [&](const ConcatPart& part, int64_t own, int64_t whole, size_t bytes) {
    std::memcpy(bytes_of(y) + whole, bytes_of(part.x) + own, bytes);
  });
}

void split(size_t size, int64_t outer, const void* x, std::span<const SplitPart> parts, int threads) {
  each_part(size, outer, parts, threads, [&](const SplitPart& part, int64_t own, int64_t whole, size_t bytes) {
    std::memcpy(bytes_of(part.y) + own, bytes_of(x) + whole, bytes);
  });
}

PadPlan::PadPlan(size_t size, const Shape& shape, std::span<const int64_t> before, std::span<const int64_t> after,
                 PadMode mode)
    : mode_(mode),
      shape_(padded(shape, before, after, mode)),
      middle_(slice_plan(size, shape_, before, shape.dims()).inverse()) {
  // The middle comes first; then axis by axis both borders, over all of the axes done before and the middle of those to
  // come: so a mirror finds in y what it needs.
  const int rank = shape.rank();
  std::array<int64_t, Shape::kMaxRank> strides{};
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = stride;
    stride *= shape_[i];
  }
  for (int axis = 0; axis < rank; ++axis) {
    std::vector<StridedCopy::Dim> dims;
    int64_t start = 0;
    for (int i = 0; i < rank; ++i) {
      const int64_t step = strides[static_cast<size_t>(i)];
      const int64_t from = mode == PadMode::Constant ? 0 : step;
      if (i != axis) dims.push_back({i < axis ? shape_[i] : shape[i], from, step});
      if (i > axis) start += before[static_cast<size_t>(i)] * step;
    }
    const int64_t step = strides[static_cast<size_t>(axis)];
    const int64_t first = before[static_cast<size_t>(axis)];
    const int64_t last = first + shape[axis] - 1;
    const int64_t skip = mode == PadMode::Reflect ? 1 : 0;
    const auto add = [&](int64_t count, int64_t to, int64_t from) {
      if (count == 0) return;
      dims.push_back({count, mode == PadMode::Constant ? 0 : -step, step});
      borders_.emplace_back(size, dims, mode == PadMode::Constant ? 0 : start + from * step, start + to * step);
      dims.pop_back();
    };
    add(first, 0, 2 * first - 1 + skip);
    add(after[static_cast<size_t>(axis)], last + 1, last - skip);
  }
}

void PadPlan::run(const void* x, const void* value, void* y, int threads) const {
  middle_.run(x, y, threads);
  for (const StridedCopy& border : borders_) border.run(mode_ == PadMode::Constant ? value : y, y, threads);
}

int64_t gather(size_t size, const void* x, DType index, const void* indices, void* y, int64_t outer, int64_t rows,
               int64_t inner, int64_t count, int threads) {
  return with_index(index, [&]<class I>() -> int64_t {
    const I* at = static_cast<const I*>(indices);
    for (int64_t i = 0; i < count; ++i)
      if (static_cast<int64_t>(at[i]) < 0 || static_cast<int64_t>(at[i]) >= rows) return i;
    const int64_t bytes = inner * static_cast<int64_t>(size);
    if (bytes == 0) return -1;
    parallel_for(threads, outer * count, rows_grain(bytes), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const char* from = bytes_of(x) + (i / count * rows + static_cast<int64_t>(at[i % count])) * bytes;
        // Sizes that the compiler knows: no call for the usual single elements.
        if (bytes == 4)
          std::memcpy(bytes_of(y) + i * 4, from, 4);
        else
          std::memcpy(bytes_of(y) + i * bytes, from, static_cast<size_t>(bytes));
      }
    });
    return -1;
  });
}

void one_hot(size_t size, DType index, const void* indices, const void* on, const void* off, void* y, int64_t outer,
             int64_t depth, int64_t inner, int threads) {
  if (depth <= 0) return;
  with_index(index, [&]<class I>() {
    with_size(size, [&]<class T>() {
      const I* at = static_cast<const I*>(indices);
      const T hot = *static_cast<const T*>(on);
      const T cold = *static_cast<const T*>(off);
      const int64_t block = depth * inner;
      parallel_for(threads, outer, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, block)),
                   [&](int64_t begin, int64_t end) {
                     T* to = static_cast<T*>(y);
                     for (int64_t i = begin * block; i < end * block; ++i) to[i] = cold;
                     for (int64_t i = begin * inner; i < end * inner; ++i) {
                       const auto hit = static_cast<int64_t>(at[i]);
                       if (hit >= 0 && hit < depth) to[(i / inner * depth + hit) * inner + i % inner] = hot;
                     }
                   });
    });
  });
}

void select(size_t size, const bool* condition, const void* a, const void* b, void* y, int64_t n, int threads) {
  const SelectLoop loop = select_kernels(active_isa()).loop(size);
  if (!loop) throw Error(Code::Internal, "no selection of elements of " + std::to_string(size) + " bytes");
  const auto step = static_cast<int64_t>(size);
  parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) {
    loop(condition + begin, bytes_of(a) + begin * step, bytes_of(b) + begin * step, bytes_of(y) + begin * step,
         end - begin);
  });
}

void select_rows(size_t size, const bool* condition, const void* a, const void* b, void* y, int64_t rows, int64_t inner,
                 int threads) {
  const int64_t bytes = inner * static_cast<int64_t>(size);
  if (bytes == 0) return;
  parallel_for(threads, rows, rows_grain(bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memmove(bytes_of(y) + i * bytes, bytes_of(condition[i] ? a : b) + i * bytes, static_cast<size_t>(bytes));
  });
}

void fill(size_t size, const void* value, void* y, int64_t n, int threads) {
  with_size(size, [&]<class T>() {
    const T element = *static_cast<const T*>(value);
    T* to = static_cast<T*>(y);
    parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) { std::fill(to + begin, to + end, element); });
  });
}

}  // namespace vf::cpu
