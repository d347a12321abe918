#pragma once
// Moving plain elements around: concat, split, pad, gather, one-hot, select, fill. `size` is bytes of an element: 1, 2,
// 4, 8 or 16 (any number where it says so). No overlap of x and y, any alignment that suits the element.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/strided_copy.h"
#include "varflow/dtype.h"
#include "varflow/shape.h"

namespace vf::cpu {

// One operand of a concatenation: [outer, inner], where inner is its length along the axis times all that follows.
struct ConcatPart {
  const void* x;
  int64_t inner;
};
// y = [outer, sum of inner]; any size.
void concat(size_t size, int64_t outer, std::span<const ConcatPart> parts, void* y, int threads);

struct SplitPart {
  void* y;
  int64_t inner;
};
// The other way round; any size.
void split(size_t size, int64_t outer, const void* x, std::span<const SplitPart> parts, int threads);

// Reflect leaves the border element out of the mirror image, Symmetric repeats it.
enum class PadMode : uint8_t { Constant, Reflect, Symmetric };

class PadPlan {
 public:
  // before[i] and after[i] are not negative; mirrors reach no further than the axis (Reflect: less one).
  // InvalidArgument otherwise.
  PadPlan(size_t size, const Shape& shape, std::span<const int64_t> before, std::span<const int64_t> after,
          PadMode mode);
  const Shape& shape() const { return shape_; }  // of the result
  // `value`: one element, for Constant.
  void run(const void* x, const void* value, void* y, int threads) const;

 private:
  PadMode mode_;
  Shape shape_;
  StridedCopy middle_;
  std::vector<StridedCopy> borders_;  // from y itself where mirrored, from `value` where constant
};

// y = x[outer, indices[i], inner]: [outer, count, inner] from [outer, rows, inner]; any size. `index`: Int32 or Int64.
// Returns the place of the first index outside [0, rows), having written nothing, or -1.
int64_t gather(size_t size, const void* x, DType index, const void* indices, void* y, int64_t outer, int64_t rows,
               int64_t inner, int64_t count, int threads);

// y[outer, depth, inner] = indices[outer, inner] == depth ? *on : *off. `index`: UInt8, Int8, Int32 or Int64; indices
// outside [0, depth) give `off` alone.
void one_hot(size_t size, DType index, const void* indices, const void* on, const void* off, void* y, int64_t outer,
             int64_t depth, int64_t inner, int threads);

// y[i] = condition[i] ? a[i] : b[i]; y may be a or b.
void select(size_t size, const bool* condition, const void* a, const void* b, void* y, int64_t n, int threads);
// Whole rows of `inner` elements; any size.
void select_rows(size_t size, const bool* condition, const void* a, const void* b, void* y, int64_t rows, int64_t inner,
                 int threads);

// y[i] = *value
void fill(size_t size, const void* value, void* y, int64_t n, int threads);

}  // namespace vf::cpu
