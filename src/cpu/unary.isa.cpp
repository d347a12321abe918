#include <cmath>
#include <type_traits>

#include "cpu/elementwise_kernels.h"
#include "cpu/elementwise_types.h"
#include "cpu/float_math.h"
#include "cpu/small_floats.h"

namespace vf::cpu::VF_ISA {
namespace {

using enum UnaryOp;

template <class T>
constexpr bool defined(UnaryOp op) {
  constexpr bool real = std::is_floating_point_v<T>;
  constexpr bool boolean = std::is_same_v<T, bool>;
  constexpr bool integer = !real && !boolean;
  switch (op) {
    case Neg:
    case Abs:
    case Sign:
    case Square:
    case Reciprocal:
    case Relu:
    case Relu6:
    case Floor:
    case Ceil:
    case Rint: return !boolean;
    case Invert: return integer;
    case LogicalNot: return boolean;
    case kCount: return false;
    default: return real;
  }
}

constexpr bool is_predicate(UnaryOp op) { return op == IsNan || op == IsInf || op == IsFinite; }

// Where float and double differ: our own vector forms against the C library.
template <UnaryOp op>
inline float transcendental(float x) {
  if constexpr (op == Exp) return exp_float(x);
  if constexpr (op == Expm1) return expm1_float(x);
  if constexpr (op == Log) return log_float(x);
  if constexpr (op == Log1p) return log1p_float(x);
  if constexpr (op == Tanh) return tanh_float(x);
  if constexpr (op == Sigmoid) return sigmoid_float(x);
  if constexpr (op == Softplus) return softplus_float(x);
  if constexpr (op == Erf) return erf_float(x);
  if constexpr (op == Sin) return ::sinf(x);
  if constexpr (op == Cos) return ::cosf(x);
  if constexpr (op == Tan) return ::tanf(x);
  if constexpr (op == Asin) return ::asinf(x);
  if constexpr (op == Acos) return ::acosf(x);
  if constexpr (op == Atan) return ::atanf(x);
  if constexpr (op == Sinh) return ::sinhf(x);
  if constexpr (op == Cosh) return ::coshf(x);
  if constexpr (op == Asinh) return ::asinhf(x);
  if constexpr (op == Acosh) return ::acoshf(x);
  if constexpr (op == Atanh) return ::atanhf(x);
  if constexpr (op == Erfc) return ::erfcf(x);
  int sign = 0;
  if constexpr (op == Lgamma) return ::lgammaf_r(x, &sign);
}

template <UnaryOp op>
inline double transcendental(double x) {
  if constexpr (op == Exp) return ::exp(x);
  if constexpr (op == Expm1) return ::expm1(x);
  if constexpr (op == Log) return ::log(x);
  if constexpr (op == Log1p) return ::log1p(x);
  if constexpr (op == Tanh) return ::tanh(x);
  if constexpr (op == Sigmoid) {
    const double e = ::exp(-__builtin_fabs(x));
    return (x < 0 ? e : 1.0) / (1.0 + e);
  }
  if constexpr (op == Softplus) return (x < 0 ? 0.0 : x) + ::log1p(::exp(-__builtin_fabs(x)));
  if constexpr (op == Erf) return ::erf(x);
  if constexpr (op == Sin) return ::sin(x);
  if constexpr (op == Cos) return ::cos(x);
  if constexpr (op == Tan) return ::tan(x);
  if constexpr (op == Asin) return ::asin(x);
  if constexpr (op == Acos) return ::acos(x);
  if constexpr (op == Atan) return ::atan(x);
  if constexpr (op == Sinh) return ::sinh(x);
  if constexpr (op == Cosh) return ::cosh(x);
  if constexpr (op == Asinh) return ::asinh(x);
  if constexpr (op == Acosh) return ::acosh(x);
  if constexpr (op == Atanh) return ::atanh(x);
  if constexpr (op == Erfc) return ::erfc(x);
  int sign = 0;
  if constexpr (op == Lgamma) return ::lgamma_r(x, &sign);
}

template <class T>
inline T expm1_of(T x) {
  if constexpr (std::is_same_v<T, float>)
    return expm1_float(x);
  else
    return ::expm1(x);
}

template <UnaryOp op, class T>
inline auto apply(T x) {
  constexpr bool real = std::is_floating_point_v<T>;
  if constexpr (is_predicate(op)) {
    if constexpr (op == IsNan) return x != x;
    // The difference of a finite number with itself is 0, of an infinite one NaN.
    if constexpr (op == IsInf) return x == x && x - x != x - x;
    if constexpr (op == IsFinite) return x - x == x - x;
  } else if constexpr (op == Neg) {
    if constexpr (real)
      return -x;
    else
      return static_cast<T>(Wide<T>(0) - static_cast<Wide<T>>(x));
  } else if constexpr (op == Abs) {
    if constexpr (std::is_same_v<T, float>)
      return __builtin_fabsf(x);
    else if constexpr (std::is_same_v<T, double>)
      return __builtin_fabs(x);
    else
      return x < 0 ? static_cast<T>(Wide<T>(0) - static_cast<Wide<T>>(x)) : x;
  } else if constexpr (op == Sign) {
    if constexpr (real)
      return x > 0 ? T(1) : (x < 0 ? T(-1) : x + T(0));  // 0 for -0, NaN for NaN
    else
      return static_cast<T>((x > 0) - (x < 0));
  } else if constexpr (op == Square) {
    return multiply(x, x);
  } else if constexpr (op == Sqrt) {
    if constexpr (std::is_same_v<T, float>)
      return __builtin_sqrtf(x);
    else
      return __builtin_sqrt(x);
  } else if constexpr (op == Rsqrt) {
    if constexpr (std::is_same_v<T, float>)
      return 1.0F / __builtin_sqrtf(x);
    else
      return 1.0 / __builtin_sqrt(x);
  } else if constexpr (op == Reciprocal) {
    if constexpr (real)
      return T(1) / x;
    else
      return x == 0 ? T(0) : static_cast<T>(T(1) / x);
  } else if constexpr (op == Relu) {
    return x < 0 ? T(0) : x;
  } else if constexpr (op == Relu6) {
    const T positive = x < 0 ? T(0) : x;
    return positive > 6 ? T(6) : positive;
  } else if constexpr (op == Elu) {
    return x < 0 ? expm1_of(x) : x;
  } else if constexpr (op == Selu) {
    return x < 0 ? T(kSeluScaleAlpha) * expm1_of(x) : T(kSeluScale) * x;
  } else if constexpr (op == Softsign) {
    return x / ((x < 0 ? -x : x) + T(1));
  } else if constexpr (op == Floor || op == Ceil || op == Rint) {
    if constexpr (std::is_same_v<T, float>)
      return op == Floor ? __builtin_floorf(x) : op == Ceil ? __builtin_ceilf(x) : __builtin_rintf(x);
    else if constexpr (std::is_same_v<T, double>)
      return op == Floor ? __builtin_floor(x) : op == Ceil ? __builtin_ceil(x) : __builtin_rint(x);
    else
      return x;
  } else if constexpr (op == Invert) {
    return static_cast<T>(~x);
  } else if constexpr (op == LogicalNot) {
    return !x;
  } else {
    return transcendental<op>(x);
  }
}

template <UnaryOp op, class T>
void loop(const void* xv, void* yv, int64_t n) {
  using Y = decltype(apply<op>(T{}));
  const T* x = static_cast<const T*>(xv);
  Y* y = static_cast<Y*>(yv);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = apply<op>(x[i]);
}

// A loop of floats over tiles of converted values.
template <UnaryOp op, class H>
void small_loop(const void* xv, void* yv, int64_t n) {
  constexpr int64_t kTile = 512;
  float tile[kTile];
  const H* x = static_cast<const H*>(xv);
  for (int64_t at = 0; at < n; at += kTile) {
    const int64_t count = n - at < kTile ? n - at : kTile;
    to_floats(x + at, tile, count);
    if constexpr (is_predicate(op)) {
      loop<op, float>(tile, static_cast<bool*>(yv) + at, count);
    } else {
      loop<op, float>(tile, tile, count);
      from_floats(tile, static_cast<H*>(yv) + at, count);
    }
  }
}

template <UnaryOp op>
UnaryLoop pick(DType dtype) {
  return pick_loop<UnaryLoop>(dtype, []<class T>() -> UnaryLoop {
    if constexpr (is_small<T>) {
      if constexpr (defined<float>(op)) return small_loop<op, T>;
    } else if constexpr (defined<T>(op)) {
      return loop<op, T>;
    }
    return nullptr;
  });
}

template <int... op>
UnaryLoop pick_op(UnaryOp wanted, DType dtype, std::integer_sequence<int, op...>) {
  UnaryLoop found = nullptr;
  ((op == static_cast<int>(wanted) ? void(found = pick<static_cast<UnaryOp>(op)>(dtype)) : void()), ...);
  return found;
}

UnaryLoop unary_loop(UnaryOp op, DType dtype) {
  return pick_op(op, dtype, std::make_integer_sequence<int, static_cast<int>(UnaryOp::kCount)>());
}

}  // namespace

extern const UnaryKernels unary_kernels_table = {unary_loop};

}  // namespace vf::cpu::VF_ISA
