#pragma once
// Elementwise loops over contiguous arrays, one thread each: what a fused tape calls on tiles that stay in the L1 cache
// and what run_unary / BroadcastPlan (broadcast.h) call on whole tensors. Same bits on every instruction set and for
// every split of an array. The result may be written over an operand of the same element size; otherwise no overlap.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// Names are TensorFlow's ops where it has one. Half and bfloat16 are computed in float and rounded once.
// On integers: two's complement wraps around (negating or the absolute value of the least number gives itself).
// clang-format off
enum class UnaryOp : uint8_t {
  Neg, Abs, Sign, Square,  // floats and integers
  Sqrt, Rsqrt,             // Rsqrt is 1 / sqrt(x), two roundings
  Reciprocal,              // integers: 0 for x = 0, see contains_zero
  Exp, Expm1, Log, Log1p, Tanh, Sigmoid, Softplus, Erf,  // float: float_math.h; double: the C library
  Relu, Relu6, Elu, Selu, Softsign,                      // NaN stays NaN; Relu and Relu6 also on integers
  Floor, Ceil, Rint,                                     // Rint: ties to even; on integers all three copy
  Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh, Erfc, Lgamma,  // the C library
  Invert,                  // integers: bits flipped
  LogicalNot,              // bool
  IsNan, IsInf, IsFinite,  // floats -> bool
  kCount,
};

// Gradients take their operands in the order of TensorFlow's op: (y, dy) for SigmoidGrad, TanhGrad, SqrtGrad,
// RsqrtGrad, ReciprocalGrad; (gradients, features) for ReluGrad, Relu6Grad, SoftplusGrad, SoftsignGrad; (gradients,
// outputs) for EluGrad and SeluGrad.
enum class BinaryOp : uint8_t {
  Add, Sub, Mul,
  Div,                 // integers: truncates; 0 for a zero divisor, see contains_zero
  FloorDiv, FloorMod,  // integers: 0 for a zero divisor
  TruncateMod,         // sign of the dividend; floats: fmod
  DivNoNan, MulNoNan,  // floats: 0 where b is 0
  Pow,                 // integers: wraps around; negative exponents: 1 / a^-b truncated, see contains_negative
  Maximum, Minimum,    // NaN if either is; a where they are equal
  SquaredDifference,
  Atan2, Xlogy, Xdivy,                                       // floats
  BitwiseAnd, BitwiseOr, BitwiseXor, LeftShift, RightShift,  // integers; shifts are clamped to 0 .. bits - 1
  Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual,   // -> bool
  LogicalAnd, LogicalOr,                                     // bool
  SigmoidGrad, TanhGrad, SqrtGrad, RsqrtGrad, ReciprocalGrad,                   // floats
  ReluGrad, Relu6Grad, EluGrad, SeluGrad, SoftplusGrad, SoftsignGrad,           // ReluGrad, Relu6Grad: integers too
  kCount,
};
// clang-format on

using UnaryLoop = void (*)(const void* x, void* y, int64_t n);
using BinaryLoop = void (*)(const void* a, const void* b, void* y, int64_t n);

// y[i] = op(a[i], b[i]); in scalar_b b is one element, in scalar_a a is. All null where the op has no such dtype.
struct BinaryLoops {
  BinaryLoop both = nullptr;
  BinaryLoop scalar_b = nullptr;
  BinaryLoop scalar_a = nullptr;
  explicit operator bool() const { return both != nullptr; }
};

// Null where the op is not defined for the dtype.
UnaryLoop unary_loop(UnaryOp op, DType dtype, Isa isa = active_isa());
BinaryLoops binary_loops(BinaryOp op, DType dtype, Isa isa = active_isa());

// Element types of results: bool for comparisons and predicates, else the operands'.
DType unary_result(UnaryOp op, DType dtype);
DType binary_result(BinaryOp op, DType dtype);

// Runs a loop on n elements with up to `threads` threads. Binary operations: BroadcastPlan in broadcast.h.
void run_unary(UnaryOp op, DType dtype, const void* x, void* y, int64_t n, int threads);

// For the errors that TensorFlow gives for integer division and powers.
bool contains_zero(DType dtype, const void* x, int64_t n);
bool contains_negative(DType dtype, const void* x, int64_t n);

// y = x > 0 ? x : alpha * x, and its gradient g or alpha * g by the sign of x; floats, half, bfloat16. Unimplemented
// for others.
void leaky_relu(DType dtype, float alpha, const void* x, void* y, int64_t n, int threads);
void leaky_relu_grad(DType dtype, float alpha, const void* gradients, const void* features, void* y, int64_t n,
                     int threads);

// Elements below which a second thread costs more than it brings.
inline constexpr int64_t kGrain = 16384;

}  // namespace vf::cpu
