#include <cmath>
#include <type_traits>

#include "cpu/elementwise_kernels.h"
#include "cpu/elementwise_types.h"
#include "cpu/float_math.h"
#include "cpu/small_floats.h"

namespace vf::cpu::VF_ISA {
namespace {

using enum BinaryOp;

template <class T>
constexpr bool defined(BinaryOp op) {
  constexpr bool real = std::is_floating_point_v<T>;
  constexpr bool boolean = std::is_same_v<T, bool>;
  constexpr bool integer = !real && !boolean;
  switch (op) {
    case Add:
    case Sub:
    case Mul:
    case Div:
    case FloorDiv:
    case FloorMod:
    case TruncateMod:
    case Pow:
    case Maximum:
    case Minimum:
    case SquaredDifference:
    case Less:
    case LessEqual:
    case Greater:
    case GreaterEqual:
    case ReluGrad:
    case Relu6Grad: return !boolean;
    case Equal:
    case NotEqual: return true;
    case BitwiseAnd:
    case BitwiseOr:
    case BitwiseXor:
    case LeftShift:
    case RightShift: return integer;
    case LogicalAnd:
    case LogicalOr: return boolean;
    case kCount: return false;
    default: return real;
  }
}

constexpr bool is_comparison(BinaryOp op) { return op >= Equal && op <= GreaterEqual; }

inline float fmod_of(float a, float b) { return ::fmodf(a, b); }
inline double fmod_of(double a, double b) { return ::fmod(a, b); }
inline float floor_of(float a) { return __builtin_floorf(a); }
inline double floor_of(double a) { return __builtin_floor(a); }
inline float pow_of(float a, float b) { return ::powf(a, b); }
inline double pow_of(double a, double b) { return ::pow(a, b); }
inline float atan2_of(float a, float b) { return ::atan2f(a, b); }
inline double atan2_of(double a, double b) { return ::atan2(a, b); }
inline float log_of(float a) { return log_float(a); }
inline double log_of(double a) { return ::log(a); }
inline float sigmoid_of(float a) { return sigmoid_float(a); }
inline double sigmoid_of(double a) {
  const double e = ::exp(-__builtin_fabs(a));
  return (a < 0 ? e : 1.0) / (1.0 + e);
}

// Quotient and remainder that neither trap on 0 nor on the least number by -1.
template <class T>
inline T quotient(T a, T b) {
  if (b == 0) return 0;
  if (std::is_signed_v<T> && b == T(-1)) return static_cast<T>(Wide<T>(0) - static_cast<Wide<T>>(a));
  return static_cast<T>(a / b);
}
template <class T>
inline T remainder(T a, T b) {
  if (b == 0 || (std::is_signed_v<T> && b == T(-1))) return 0;
  return static_cast<T>(a % b);
}
template <class T>
inline T integer_power(T base, T exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    if (std::is_signed_v<T> && base == T(-1)) return exponent % 2 ? base : T(1);
    return 0;
  }
  T result = 1;
  for (; exponent > 0; exponent = static_cast<T>(exponent >> 1)) {
    if (exponent & 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

template <BinaryOp op, class T>
inline T divide(T a, T b) {
  constexpr bool real = std::is_floating_point_v<T>;
  if constexpr (op == Div) {
    if constexpr (real)
      return a / b;
    else
      return quotient(a, b);
  } else if constexpr (op == FloorDiv) {
    if constexpr (real) {
      return floor_of(a / b);
    } else {
      const T q = quotient(a, b);
      return std::is_signed_v<T> && (a < 0) != (b < 0) && remainder(a, b) != 0 ? static_cast<T>(q - 1) : q;
    }
  } else if constexpr (op == FloorMod) {
    if constexpr (real) {
      const T r = fmod_of(a, b);
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    } else {
      const T r = remainder(a, b);
      return std::is_signed_v<T> && r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
    }
  } else if constexpr (op == TruncateMod) {
    if constexpr (real)
      return fmod_of(a, b);
    else
      return remainder(a, b);
  } else if constexpr (op == DivNoNan) {
    return b == 0 ? T(0) : a / b;
  } else {
    static_assert(op == Pow);
    if constexpr (real)
      return pow_of(a, b);
    else
      return integer_power(a, b);
  }
}

template <BinaryOp op, class T>
inline T bitwise(T a, T b) {
  constexpr int kBits = 8 * sizeof(T);
  const int shift = b < 0 ? 0 : (b >= T(kBits) ? kBits - 1 : static_cast<int>(b));
  if constexpr (op == BitwiseAnd) return static_cast<T>(a & b);
  if constexpr (op == BitwiseOr) return static_cast<T>(a | b);
  if constexpr (op == BitwiseXor) return static_cast<T>(a ^ b);
  if constexpr (op == LeftShift) return static_cast<T>(static_cast<Wide<T>>(a) << shift);
  if constexpr (op == RightShift) return static_cast<T>(a >> shift);
}

template <BinaryOp op, class T>
inline bool compare(T a, T b) {
  if constexpr (op == Equal) return a == b;
  if constexpr (op == NotEqual) return a != b;
  if constexpr (op == Less) return a < b;
  if constexpr (op == LessEqual) return a <= b;
  if constexpr (op == Greater) return a > b;
  if constexpr (op == GreaterEqual) return a >= b;
}

// Evaluated in the order of TensorFlow's own expressions.
template <BinaryOp op, class T>
inline T gradient(T a, T b) {
  if constexpr (op == SigmoidGrad) return (T(1) - a) * a * b;
  if constexpr (op == TanhGrad) return b * (T(1) - a * a);
  if constexpr (op == SqrtGrad) return T(0.5) * b / a;
  if constexpr (op == RsqrtGrad) return T(-0.5) * (b * a) * (a * a);
  if constexpr (op == ReciprocalGrad) return -(a * a) * b;
  if constexpr (op == ReluGrad) return multiply(a, b > 0 ? T(1) : T(0));
  if constexpr (op == Relu6Grad) return multiply(a, b > 0 && b < 6 ? T(1) : T(0));
  if constexpr (op == EluGrad) return b < 0 ? (b + T(1)) * a : a;
  if constexpr (op == SeluGrad) return b < 0 ? a * (b + T(kSeluScaleAlpha)) : a * T(kSeluScale);
  if constexpr (op == SoftplusGrad) return a * sigmoid_of(b);
  if constexpr (op == SoftsignGrad) {
    const T s = T(1) + (b < 0 ? -b : b);
    return a / (s * s);
  }
}

template <BinaryOp op, class T>
inline auto apply(T a, T b) {
  using W = Wide<T>;
  if constexpr (is_comparison(op))
    return compare<op>(a, b);
  else if constexpr (op == LogicalAnd)
    return a && b;
  else if constexpr (op == LogicalOr)
    return a || b;
  else if constexpr (op == Add)
    return static_cast<T>(static_cast<W>(a) + static_cast<W>(b));
  else if constexpr (op == Sub)
    return static_cast<T>(static_cast<W>(a) - static_cast<W>(b));
  else if constexpr (op == Mul)
    return multiply(a, b);
  else if constexpr (op == MulNoNan)
    return b == 0 ? T(0) : a * b;
  else if constexpr (op == Maximum)
    return a < b || b != b ? b : a;
  else if constexpr (op == Minimum)
    return b < a || b != b ? b : a;
  else if constexpr (op == SquaredDifference) {
    const T d = static_cast<T>(static_cast<W>(a) - static_cast<W>(b));
    return multiply(d, d);
  } else if constexpr (op == Atan2)
    return atan2_of(a, b);
  else if constexpr (op == Xlogy)
    return a == 0 ? T(0) : a * log_of(b);
  else if constexpr (op == Xdivy)
    return a == 0 ? T(0) : a / b;
  else if constexpr (op >= BitwiseAnd && op <= RightShift)
    return bitwise<op>(a, b);
  else if constexpr (op >= SigmoidGrad)
    return gradient<op>(a, b);
  else
    return divide<op>(a, b);
}

template <BinaryOp op, class T>
using Result = decltype(apply<op>(T{}, T{}));

enum class Form { Both, ScalarB, ScalarA };

template <BinaryOp op, class T, Form form>
void loop(const void* av, const void* bv, void* yv, int64_t n) {
  const T* a = static_cast<const T*>(av);
  const T* b = static_cast<const T*>(bv);
  Result<op, T>* y = static_cast<Result<op, T>*>(yv);
  if constexpr (form == Form::Both) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = apply<op>(a[i], b[i]);
  } else if constexpr (form == Form::ScalarB) {
    const T scalar = *b;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = apply<op>(a[i], scalar);
  } else {
    const T scalar = *a;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = apply<op>(scalar, b[i]);
  }
}

constexpr int64_t kTile = 512;

// Forms with a scalar for dtypes that are not worth machine code of their own: a tile filled with the scalar.
template <class T, class Y>
void filled(BinaryLoop both, bool scalar_a, const void* av, const void* bv, void* yv, int64_t n) {
  T tile[kTile];
  const T scalar = *static_cast<const T*>(scalar_a ? av : bv);
  const T* x = static_cast<const T*>(scalar_a ? bv : av);
  Y* y = static_cast<Y*>(yv);
  for (int64_t i = 0; i < kTile && i < n; ++i) tile[i] = scalar;
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t count = n - at < kTile ? n - at : kTile;
    both(scalar_a ? tile : x + at, scalar_a ? x + at : tile, y + at, count);
  }
}
template <BinaryLoop both, class T, class Y>
void filled_b(const void* a, const void* b, void* y, int64_t n) {
  filled<T, Y>(both, false, a, b, y, n);
}
template <BinaryLoop both, class T, class Y>
void filled_a(const void* a, const void* b, void* y, int64_t n) {
  filled<T, Y>(both, true, a, b, y, n);
}

// Half and bfloat16: a loop of floats over tiles of converted values.
template <class H, Form form, class Y>
void converted(BinaryLoop loop_of_floats, const void* av, const void* bv, void* yv, int64_t n) {
  float ta[kTile];
  float tb[kTile];
  float result[kTile];
  const H* a = static_cast<const H*>(av);
  const H* b = static_cast<const H*>(bv);
  if constexpr (form == Form::ScalarB) tb[0] = float_of(*b);
  if constexpr (form == Form::ScalarA) ta[0] = float_of(*a);
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t count = n - at < kTile ? n - at : kTile;
    if constexpr (form != Form::ScalarA) to_floats(a + at, ta, count);
    if constexpr (form != Form::ScalarB) to_floats(b + at, tb, count);
    if constexpr (std::is_same_v<Y, bool>) {
      loop_of_floats(ta, tb, static_cast<bool*>(yv) + at, count);
    } else {
      loop_of_floats(ta, tb, result, count);
      from_floats(result, static_cast<H*>(yv) + at, count);
    }
  }
}
template <BinaryLoop loop_of_floats, class H, Form form, class Y>
void small_loop(const void* a, const void* b, void* y, int64_t n) {
  converted<H, form, Y>(loop_of_floats, a, b, y, n);
}

template <BinaryOp op>
BinaryLoops pick(DType dtype) {
  return pick_loop<BinaryLoops>(dtype, []<class T>() -> BinaryLoops {
    if constexpr (is_small<T>) {
      if constexpr (defined<float>(op)) {
        using Y = std::conditional_t<std::is_same_v<Result<op, float>, bool>, bool, T>;
        return {small_loop<loop<op, float, Form::Both>, T, Form::Both, Y>,
                small_loop<loop<op, float, Form::ScalarB>, T, Form::ScalarB, Y>,
                small_loop<loop<op, float, Form::ScalarA>, T, Form::ScalarA, Y>};
      }
    } else if constexpr (defined<T>(op)) {
      constexpr bool common = std::is_floating_point_v<T> || std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>;
      if constexpr (common)
        return {loop<op, T, Form::Both>, loop<op, T, Form::ScalarB>, loop<op, T, Form::ScalarA>};
      else
        return {loop<op, T, Form::Both>, filled_b<loop<op, T, Form::Both>, T, Result<op, T>>,
                filled_a<loop<op, T, Form::Both>, T, Result<op, T>>};
    }
    return {};
  });
}

template <int... op>
BinaryLoops pick_op(BinaryOp wanted, DType dtype, std::integer_sequence<int, op...>) {
  BinaryLoops found;
  ((op == static_cast<int>(wanted) ? void(found = pick<static_cast<BinaryOp>(op)>(dtype)) : void()), ...);
  return found;
}

BinaryLoops binary_loops(BinaryOp op, DType dtype) {
  return pick_op(op, dtype, std::make_integer_sequence<int, static_cast<int>(BinaryOp::kCount)>());
}

}  // namespace

extern const BinaryKernels binary_kernels_table = {binary_loops};

}  // namespace vf::cpu::VF_ISA
