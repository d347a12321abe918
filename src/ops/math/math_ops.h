#pragma once
#include "cpu/elementwise.h"
#include "varflow/op.h"

namespace vf {

void register_arithmetic_ops(OpRegistry& r);  // Add, Sub, Mul, ... with broadcasting

// A kernel of output 0 = op(input 0, input 1) with NumPy's broadcasting.
KernelFunction binary_kernel(cpu::BinaryOp op);
// A kernel of output 0 = op(input 0).
KernelFunction unary_kernel(cpu::UnaryOp op);
// Sets the gradients of two operands that were broadcast: each is summed back to its operand's shape. Builds the sums
// only where the static shapes do not rule them out.
void set_broadcast_gradients(GradientContext& g, Output for_a, Output for_b);

}  // namespace vf
