#pragma once
// Binary elementwise operations on two shapes that broadcast: what can be worked out from the shapes alone is worked
// out once.
#include <array>

#include "cpu/elementwise.h"
#include "varflow/shape.h"

namespace vf::cpu {

class BroadcastPlan {
 public:
  // InvalidArgument ("Incompatible shapes: [2,3] vs. [4]") where the shapes do not broadcast. Both fully defined.
  BroadcastPlan(const Shape& a, const Shape& b);

  const Shape& shape() const { return shape_; }
  // True where every element of the operand is read once, in order: then the result may be written over it, if the
  // element sizes agree.
  bool in_order_a() const { return in_order_a_; }
  bool in_order_b() const { return in_order_b_; }

  // y has shape(); `loops` are of (op, dtype). Unimplemented where the op is not defined for the dtype. Same bits on
  // any number of threads.
  void run(BinaryOp op, DType dtype, const void* a, const void* b, void* y, int threads) const;
  // The same for a caller that looked the loops up before; sizes are bytes of an operand's and of the result's element.
  void run(const BinaryLoops& loops, size_t size, size_t size_y, const void* a, const void* b, void* y,
           int threads) const;

 private:
  // One dimension of the result, neighbours merged where both operands allow; strides in elements, 0 where broadcast.
  struct Dim {
    int64_t size;
    int64_t stride_a;
    int64_t stride_b;
  };
  struct Call;

  void add_dim(int64_t size, int64_t stride_a, int64_t stride_b);
  void run_rows(const Call& call, int64_t begin, int64_t end) const;
  void run_tiles(const Call& call, int64_t begin, int64_t end) const;
  void fill(char* tile, const char* source, size_t size, int64_t Dim::*stride, int64_t begin, int64_t count) const;
  // Offset in elements of result element `index` in the operand with these strides.
  int64_t offset(int64_t Dim::*stride, int64_t index) const;

  Shape shape_;
  int64_t total_ = 1;
  std::array<Dim, Shape::kMaxRank> dims_{};  // innermost first
  int rank_ = 0;
  bool in_order_a_ = false;
  bool in_order_b_ = false;
};

}  // namespace vf::cpu
