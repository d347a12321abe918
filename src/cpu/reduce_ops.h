#pragma once
// Sum, product, maximum, ... of runs and of columns by a tree that depends on the counts alone: not on the width of
// vectors, not on threads. For .isa.cpp files (internal linkage). A run is cut into blocks of 1,024; in a block value i
// goes to partial result i % 32 (in a short block, and in what is left of the last 32, to one of 4); these are folded
// in halves, and the blocks' results are joined pairwise like the digits of a binary counter. Columns do the same with
// blocks of 32 rows.
#include <cstdint>
#include <limits>

#include "cpu/elementwise_types.h"
#include "cpu/vectors.h"

namespace vf::cpu::VF_ISA {
namespace {

// Each works on scalars and on vectors of the compiler's; T is the scalar.
struct SumOp {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  static inline V join(V a, V b) {
    return a + b;
  }
};
struct ProdOp {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  static inline V join(V a, V b) {
    if constexpr (std::is_integral_v<V>)
      return multiply(a, b);  // `int` would swallow and overflow the product of two 16-bit numbers
    else
      return a * b;
  }
};
// NaN wins.
struct MaxOp {
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? T(-std::numeric_limits<T>::infinity())
                                                : std::numeric_limits<T>::lowest();
  }
  template <class V>
  static inline V join(V a, V b) {
    const V greater = a < b ? b : a;
    return b != b ? b : greater;
  }
};
struct MinOp {
  template <class T>
  static constexpr T identity() {
    return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class V>
  static inline V join(V a, V b) {
    const V less = b < a ? b : a;
    return b != b ? b : less;
  }
};
struct AnyOp {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  static inline V join(V a, V b) {
    return a | b;
  }
};
struct AllOp {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  static inline V join(V a, V b) {
    return a & b;
  }
};

template <class Op, class T>
inline T join(T a, T b) {
  return static_cast<T>(Op::template join<T>(a, b));
}

constexpr int64_t kRunBlock = 1024;

// Partial result i with i + 16, then i with i + 8, ...
template <class Op, class T>
inline T fold(Lanes<T> v) {
#pragma GCC unroll 8
  for (int parts = Lanes<T>::kCount / 2; parts > 0; parts /= 2)
    for (int p = 0; p < parts; ++p) v.part[p] = Op::join(v.part[p], v.part[p + parts]);
  alignas(64) T left[Lanes<T>::kSize];
  __builtin_memcpy(left, &v.part[0], sizeof(left));
  for (int half = Lanes<T>::kSize / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) left[i] = join<Op>(left[i], left[i + half]);
  return left[0];
}

// Few values: four partial results.
template <class Op, class T>
inline T reduce_short(const T* x, int64_t n) {
  T a = Op::template identity<T>();
  T b = a;
  T c = a;
  T d = a;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    a = join<Op>(a, x[i]);
    b = join<Op>(b, x[i + 1]);
    c = join<Op>(c, x[i + 2]);
    d = join<Op>(d, x[i + 3]);
  }
  for (; i < n; ++i) a = join<Op>(a, x[i]);
  return join<Op>(join<Op>(a, b), join<Op>(c, d));
}

// At most kRunBlock values.
template <class Op, class T>
inline T reduce_block(const T* x, int64_t n) {
  if (n < 2 * kLanes) return reduce_short<Op>(x, n);
  Lanes<T> sums = load(x);
  int64_t i = kLanes;
  for (; i + kLanes <= n; i += kLanes) {
    const Lanes<T> v = load(x + i);
#pragma GCC unroll 32
    for (int p = 0; p < Lanes<T>::kCount; ++p) sums.part[p] = Op::join(sums.part[p], v.part[p]);
  }
  const T whole = fold<Op>(sums);
  return i < n ? join<Op>(whole, reduce_short<Op>(x + i, n - i)) : whole;
}

// Joins the results of blocks 0, 1, 2, ... pairwise.
template <class Op, class T>
class Counter {
 public:
  inline void push(T value) {
    int level = 0;
    for (uint64_t bits = blocks_; bits & 1; bits >>= 1) value = join<Op>(levels_[level++], value);
    levels_[level] = value;
    ++blocks_;
  }
  inline T total() const {
    T value = Op::template identity<T>();
    bool first = true;
    int level = 0;
    for (uint64_t bits = blocks_; bits; bits >>= 1, ++level) {
      if (!(bits & 1)) continue;
      value = first ? levels_[level] : join<Op>(levels_[level], value);
      first = false;
    }
    return value;
  }

 private:
  T levels_[48];
  uint64_t blocks_ = 0;
};

template <class Op, class T>
inline T reduce_run(const T* x, int64_t n) {
  if (n <= kRunBlock) return reduce_block<Op>(x, n);
  Counter<Op, T> counter;
  for (int64_t at = 0; at < n; at += kRunBlock)
    counter.push(reduce_block<Op>(x + at, n - at < kRunBlock ? n - at : kRunBlock));
  return counter.total();
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
