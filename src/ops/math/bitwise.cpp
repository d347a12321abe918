// Operations on the bits of integers.
#include "ops/math/math_ops.h"

namespace vf {

void register_bitwise_ops(OpRegistry& r) {
  using cpu::BinaryOp;
  const char* const integers = "{int8, int16, int32, int64, uint8, uint16, uint32, uint64}";
  const Example example{.inputs = {Tensor::vector<int32_t>({12, -5, 7}), Tensor::vector<int32_t>({10, 3, 0})}};

  binary_op(r, "BitwiseAnd", integers, BinaryOp::BitwiseAnd)
      .commutative()
      .doc("The bits that are set in both.")
      .no_grad()
      .example(example);
  binary_op(r, "BitwiseOr", integers, BinaryOp::BitwiseOr)
      .commutative()
      .doc("The bits that are set in either.")
      .no_grad()
      .example(example);
  binary_op(r, "BitwiseXor", integers, BinaryOp::BitwiseXor)
      .commutative()
      .doc("The bits that are set in one of the two.")
      .no_grad()
      .example(example);
  binary_op(r, "LeftShift", integers, BinaryOp::LeftShift)
      .doc("x shifted up by y bits; y is held between 0 and the width less one.")
      .no_grad()
      .example(example);
  binary_op(r, "RightShift", integers, BinaryOp::RightShift)
      .doc("x shifted down by y bits, keeping its sign; y is held between 0 and the width less one.")
      .no_grad()
      .example(example);
  unary_op(r, "Invert", integers, cpu::UnaryOp::Invert)
      .doc("All bits flipped.")
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({0, -1, 5})}});
}

}  // namespace vf
