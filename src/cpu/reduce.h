#pragma once
// Reductions of dense tensors over any set of axes. The order in which values are joined depends on the shape alone:
// same bits on every instruction set and on any number of threads. Half and bfloat16 are summed in float and rounded
// once; integers wrap around.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/isa.h"
#include "varflow/dtype.h"
#include "varflow/shape.h"

namespace vf::cpu {

// Over no values at all: Sum 0, Prod 1, Max and Min the infinity (integers: the end of the range) that any value
// replaces, Any false, All true, Mean NaN (integers 0). A NaN among the values makes Max and Min NaN. Mean of integers
// truncates. Any and All are of bool, the others of numbers.
enum class ReduceOp : uint8_t { Sum, Mean, Prod, Max, Min, Any, All };

struct ReduceLoops;

class ReducePlan {
 public:
  // `shape` is fully defined; axes may be negative and repeated. InvalidArgument ("Invalid reduction dimension (3 for
  // input with 2 dimension(s)") for an axis outside [-rank, rank), Unimplemented for a dtype that the op does not have.
  ReducePlan(ReduceOp op, DType dtype, const Shape& shape, std::span<const int64_t> axes, bool keep_dims,
             Isa isa = active_isa());

  const Shape& shape() const { return shape_; }  // of the result
  // Memory of any content that each run needs for itself, 64-byte aligned; 0 for most plans.
  size_t scratch_bytes() const { return scratch_bytes_; }
  // x and y of the plan's dtype, no overlap. `scratch` may be null if scratch_bytes() is 0.
  void run(const void* x, void* y, void* scratch, int threads) const;

 private:
  // Joins the middle dimension of [outer, count, inner]; in `segments` parts that are joined afterwards where more
  // than 1.
  struct Pass {
    int64_t outer;
    int64_t count;
    int64_t inner;
    int64_t segments;
    int64_t segment_count;  // of `count`, in each segment but the last
  };

  void add_pass(int64_t outer, int64_t count, int64_t inner);
  void run_pass(const Pass& pass, bool first, const char* x, char* y, char* partial, int threads) const;
  void run_rows(const Pass& pass, bool first, const char* x, char* y, int threads) const;
  void run_columns(const Pass& pass, bool first, const char* x, char* y, int threads) const;

  ReduceOp op_;
  DType dtype_;
  const ReduceLoops* first_;  // from the plan's dtype
  const ReduceLoops* next_;   // from the type of partial results
  Shape shape_;
  int64_t results_ = 1;
  int64_t joined_ = 1;  // values in each result
  std::vector<Pass> passes_;
  size_t partial_bytes_ = 0;
  size_t between_bytes_ = 0;
  size_t scratch_bytes_ = 0;
};

// Index of the first greatest (or least) value along the middle dimension of [outer, count, inner], count > 0; NaN is
// never the greatest or the least (all NaN: 0). y: [outer, inner] of Int32 or Int64. Numbers and bool.
void arg_max(DType dtype, const void* x, DType index_dtype, void* y, int64_t outer, int64_t count, int64_t inner,
             int threads, Isa isa = active_isa());
void arg_min(DType dtype, const void* x, DType index_dtype, void* y, int64_t outer, int64_t count, int64_t inner,
             int threads, Isa isa = active_isa());

}  // namespace vf::cpu
