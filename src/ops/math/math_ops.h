#pragma once
#include <string>

#include "cpu/elementwise.h"
#include "varflow/op.h"

namespace vf {

void register_arithmetic_ops(OpRegistry& r);     // Add, Sub, Mul, AddN, SquaredDifference, Maximum, ...
void register_division_ops(OpRegistry& r);       // RealDiv, FloorDiv, FloorMod, DivNoNan, ...
void register_power_ops(OpRegistry& r);          // Square, Sqrt, Exp, Log, Pow, ...
void register_rounding_ops(OpRegistry& r);       // Neg, Abs, Sign, Floor, Rint, ...
void register_trigonometric_ops(OpRegistry& r);  // Sin, Atan2, Sinh, Erf, ...
void register_activation_ops(OpRegistry& r);     // Tanh, Sigmoid, Softplus, Relu, ... and their gradients
void register_comparison_ops(OpRegistry& r);     // Less, Equal, LogicalAnd, IsNan, ...
void register_bitwise_ops(OpRegistry& r);        // BitwiseAnd, LeftShift, Invert, ...
void register_selection_ops(OpRegistry& r);      // Select, SelectV2, ClipByValue
void register_cast_ops(OpRegistry& r);           // Cast, Bitcast
void register_matmul_ops(OpRegistry& r);         // MatMul, BatchMatMul, ...
void register_reduction_ops(OpRegistry& r);      // Sum, Mean, Max, Any, ...
void register_arg_extreme_ops(OpRegistry& r);    // ArgMax, ArgMin
void register_l2_loss_op(OpRegistry& r);
void register_cumulative_ops(OpRegistry& r);  // Cumsum, Cumprod
void register_diagonal_ops(OpRegistry& r);    // Diag, DiagPart, MatrixDiag, MatrixDiagPart
void register_qr_op(OpRegistry& r);
void register_segment_ops(OpRegistry& r);  // UnsortedSegmentSum

// TensorFlow's lists of dtypes, in its orders.
inline constexpr const char* kFloats = "{bfloat16, half, float, double}";
inline constexpr const char* kFloatsHalfFirst = "{half, bfloat16, float, double}";
inline constexpr const char* kFloatsAndComplex = "{bfloat16, half, float, double, complex64, complex128}";

// Starts an op "(x: T) -> (y: T)", or "(x: T, y: T) -> (z: T)" with NumPy's broadcasting.
OpBuilder unary_op(OpRegistry& r, const std::string& name, const std::string& types, cpu::UnaryOp op);
OpBuilder binary_op(OpRegistry& r, const std::string& name, const std::string& types, cpu::BinaryOp op);

// A kernel of output 0 = op(input 0, input 1) with NumPy's broadcasting.
KernelFunction binary_kernel(cpu::BinaryOp op);
// A kernel of output 0 = op(input 0).
KernelFunction unary_kernel(cpu::UnaryOp op);
// Sets the gradients of two operands that were broadcast: each is summed back to its operand's shape. Builds the sums
// only where the static shapes do not rule them out.
void set_broadcast_gradients(GradientContext& g, Output for_a, Output for_b);
// The gradient `for_input` of an output whose shape input i was broadcast to, summed back to that input's shape.
Output sum_to_input(GradientContext& g, int i, Output for_input);

}  // namespace vf
