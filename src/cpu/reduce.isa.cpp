#include "cpu/reduce_kernels.h"
#include "cpu/reduce_ops.h"
#include "cpu/small_floats.h"

namespace vf::cpu::VF_ISA {
namespace {

// Integers are joined in a type in which overflow is defined; bool as bytes.
template <class T>
struct PartialOf {
  using type = T;
};
template <>
struct PartialOf<Half> {
  using type = float;
};
template <>
struct PartialOf<BFloat16> {
  using type = float;
};
template <>
struct PartialOf<bool> {
  using type = uint8_t;
};

template <class Op, class T>
struct ArithmeticOf {
  using type = typename PartialOf<T>::type;
};
template <class T>
requires std::is_integral_v<T>
struct ArithmeticOf<SumOp, T> {
  using type = std::make_unsigned_t<T>;
};
template <class T>
requires std::is_integral_v<T>
struct ArithmeticOf<ProdOp, T> {
  using type = std::make_unsigned_t<T>;
};

template <class Op, class T>
void rows(const void* xv, void* yv, int64_t count, int64_t n, int64_t stride) {
  using A = typename ArithmeticOf<Op, T>::type;
  A* y = static_cast<A*>(yv);
  if constexpr (is_small<T>) {
    const T* x = static_cast<const T*>(xv);
    float tile[kRunBlock];
    for (int64_t i = 0; i < count; ++i) {
      Counter<Op, float> counter;
      for (int64_t at = 0; at < n || at == 0; at += kRunBlock) {
        const int64_t part = n - at < kRunBlock ? n - at : kRunBlock;
        to_floats(x + i * stride + at, tile, part);
        counter.push(reduce_block<Op>(tile, part));
      }
      y[i] = counter.total();
    }
  } else {
    const A* x = static_cast<const A*>(xv);
    for (int64_t i = 0; i < count; ++i) y[i] = reduce_run<Op>(x + i * stride, n);
  }
}

constexpr int64_t kRowBlock = 32;

// y[j] = y[j] joined with the values of 1 or 4 rows.
template <class Op, class A>
inline void join_row(A* y, const A* x, int64_t n) {
  using Vector = typename VectorOf<A>::unaligned;
  constexpr int64_t kSize = VectorOf<A>::kBytes / int64_t(sizeof(A));
  int64_t j = 0;
  for (; j + kSize <= n; j += kSize) {
    Vector& v = *reinterpret_cast<Vector*>(y + j);
    v = Op::template join<Vector>(v, *reinterpret_cast<const Vector*>(x + j));
  }
  for (; j < n; ++j) y[j] = join<Op>(y[j], x[j]);
}
template <class Op, class A>
inline void join_four(A* y, const A* x, int64_t stride, int64_t n) {
  using Vector = typename VectorOf<A>::unaligned;
  constexpr int64_t kSize = VectorOf<A>::kBytes / int64_t(sizeof(A));
  const A* x1 = x + stride;
  const A* x2 = x1 + stride;
  const A* x3 = x2 + stride;
  int64_t j = 0;
  for (; j + kSize <= n; j += kSize) {
    const auto at = [j](const A* row) { return *reinterpret_cast<const Vector*>(row + j); };
    Vector& v = *reinterpret_cast<Vector*>(y + j);
    const Vector first = Op::template join<Vector>(at(x), at(x1));
    const Vector second = Op::template join<Vector>(at(x2), at(x3));
    v = Op::template join<Vector>(v, Op::template join<Vector>(first, second));
  }
  for (; j < n; ++j) y[j] = join<Op>(y[j], join<Op>(join<Op>(x[j], x1[j]), join<Op>(x2[j], x3[j])));
}

// At most kRowBlock rows of `width`, into y.
template <class Op, class T, class A>
inline void column_block(const T* x, A* y, int64_t count, int64_t width, int64_t stride) {
  for (int64_t j = 0; j < width; ++j) y[j] = Op::template identity<A>();
  int64_t i = 0;
  if constexpr (is_small<T>) {
    float tile[4 * kColumns];
    for (; i < count; i += 4) {
      const int64_t part = count - i < 4 ? count - i : 4;
      for (int64_t k = 0; k < part; ++k) to_floats(x + (i + k) * stride, tile + k * width, width);
      if (part == 4)
        join_four<Op>(y, tile, width, width);
      else
        for (int64_t k = 0; k < part; ++k) join_row<Op>(y, tile + k * width, width);
    }
  } else {
    for (; i + 4 <= count; i += 4) join_four<Op>(y, x + i * stride, stride, width);
    for (; i < count; ++i) join_row<Op>(y, x + i * stride, width);
  }
}

// The counter of reduce_ops.h with rows for digits.
template <class Op, class T, class A>
void column_tree(const T* x, A* y, int64_t count, int64_t width, int64_t stride) {
  if (count <= kRowBlock) return column_block<Op>(x, y, count, width, stride);
  alignas(64) A levels[40][kColumns];
  alignas(64) A block[kColumns];
  uint64_t blocks = 0;
  for (int64_t at = 0; at < count; at += kRowBlock, ++blocks) {
    column_block<Op>(x + at * stride, block, count - at < kRowBlock ? count - at : kRowBlock, width, stride);
    int level = 0;
    for (uint64_t bits = blocks; bits & 1; bits >>= 1, ++level)
      for (int64_t j = 0; j < width; ++j) block[j] = join<Op>(levels[level][j], block[j]);
    for (int64_t j = 0; j < width; ++j) levels[level][j] = block[j];
  }
  bool first = true;
  int level = 0;
  for (uint64_t bits = blocks; bits; bits >>= 1, ++level) {
    if (!(bits & 1)) continue;
    for (int64_t j = 0; j < width; ++j) y[j] = first ? levels[level][j] : join<Op>(levels[level][j], y[j]);
    first = false;
  }
}

template <class Op, class T>
void columns(const void* xv, void* yv, int64_t count, int64_t width, int64_t stride) {
  using A = typename ArithmeticOf<Op, T>::type;
  using X = std::conditional_t<is_small<T>, T, A>;
  const X* x = static_cast<const X*>(xv);
  A* y = static_cast<A*>(yv);
  if (width != stride || width > 2 * kLanes) return column_tree<Op>(x, y, count, width, stride);
  // Narrow and dense: several rows side by side make a row that vectors like.
  const int64_t group = 4 * kLanes / width;
  const int64_t whole = count / group;
  alignas(64) A lanes[4 * kLanes];
  column_tree<Op>(x, lanes, whole, group * width, group * width);
  const int64_t rest = count - whole * group;
  if constexpr (is_small<T>) {
    float tile[4 * kLanes];
    to_floats(x + whole * group * width, tile, rest * width);
    join_row<Op>(lanes, tile, rest * width);
  } else {
    join_row<Op>(lanes, x + whole * group * width, rest * width);
  }
  for (int64_t rows_left = group; rows_left > 1;) {
    const int64_t half = (rows_left + 1) / 2;
    join_row<Op>(lanes, lanes + half * width, (rows_left - half) * width);
    rows_left = half;
  }
  for (int64_t j = 0; j < width; ++j) y[j] = lanes[j];
}

template <class T>
void finish(const void* partial, void* yv, int64_t n, int64_t count) {
  using P = typename PartialOf<T>::type;
  const P* x = static_cast<const P*>(partial);
  if constexpr (is_small<T>) {
    T* y = static_cast<T*>(yv);
    for (int64_t i = 0; i < n; ++i) store(count == 1 ? x[i] : x[i] / static_cast<float>(count), y[i]);
  } else {
    P* y = static_cast<P*>(yv);
    if constexpr (std::is_floating_point_v<T>) {
      const T divisor = static_cast<T>(count);
      for (int64_t i = 0; i < n; ++i) y[i] = x[i] / divisor;
    } else {
      for (int64_t i = 0; i < n; ++i)
        y[i] = count == 0
                   ? P(0)
                   : static_cast<P>(std::is_signed_v<P> ? int64_t(x[i]) / count : uint64_t(x[i]) / uint64_t(count));
    }
  }
}

template <class Op, class T>
const ReduceLoops* loops() {
  static constexpr ReduceLoops kLoops{rows<Op, T>, columns<Op, T>, finish<T>};
  return &kLoops;
}

constexpr int64_t kArgTile = 256;

// Floats to compare in; bool as bytes.
template <class T, class C>
inline const C* comparable(const T* x, C* tile, int64_t n) {
  if constexpr (is_small<T>) {
    to_floats(x, tile, n);
    return tile;
  } else {
    return reinterpret_cast<const C*>(x);
  }
}

template <bool greatest, class C>
inline bool better(C a, C b) {
  return greatest ? a > b : a < b;
}

// The best of n values, NaN passed over; `worst` where there is none.
template <bool greatest, class C>
inline C best_of(const C* x, int64_t n, C worst) {
  int64_t i = 0;
  C best = worst;
  if (n >= kLanes) {
    Lanes<C> lanes;
    for (int p = 0; p < Lanes<C>::kCount; ++p) lanes.part[p] = typename Lanes<C>::Vector{} + worst;
    for (; i + kLanes <= n; i += kLanes) {
      const Lanes<C> v = load(x + i);
#pragma GCC unroll 32
      for (int p = 0; p < Lanes<C>::kCount; ++p)
        lanes.part[p] = (greatest ? v.part[p] > lanes.part[p] : v.part[p] < lanes.part[p]) ? v.part[p] : lanes.part[p];
    }
    alignas(64) C left[kLanes];
    store(lanes, left);
    for (const C value : left) best = better<greatest>(value, best) ? value : best;
  }
  for (; i < n; ++i) best = better<greatest>(x[i], best) ? x[i] : best;
  return best;
}

template <bool greatest, class T, class I>
void arg(const void* xv, void* yv, int64_t count, int64_t inner, int64_t width) {
  using C = typename PartialOf<T>::type;
  constexpr C worst = greatest ? MaxOp::identity<C>() : MinOp::identity<C>();
  const T* x = static_cast<const T*>(xv);
  I* y = static_cast<I*>(yv);
  C tile[kArgTile];
  if (inner == 1) {
    C best = worst;
    I index = 0;
    for (int64_t at = 0; at < count; at += kArgTile) {
      const int64_t n = count - at < kArgTile ? count - at : kArgTile;
      const C* v = comparable(x + at, tile, n);
      const C found = best_of<greatest>(v, n, worst);
      if (!better<greatest>(found, best)) continue;
      best = found;
      int64_t i = 0;  // its place is looked for only in blocks that improve
      while (v[i] != found) ++i;
      index = static_cast<I>(at + i);
    }
    *y = index;
    return;
  }
  for (int64_t from = 0; from < width; from += kArgTile) {
    const int64_t n = width - from < kArgTile ? width - from : kArgTile;
    C best[kArgTile];
    I index[kArgTile];
    for (int64_t j = 0; j < n; ++j) {
      best[j] = worst;
      index[j] = 0;
    }
    for (int64_t i = 0; i < count; ++i) {
      const C* v = comparable(x + i * inner + from, tile, n);
      for (int64_t j = 0; j < n; ++j) {
        const bool wins = better<greatest>(v[j], best[j]);
        best[j] = wins ? v[j] : best[j];
        index[j] = wins ? static_cast<I>(i) : index[j];
      }
    }
    for (int64_t j = 0; j < n; ++j) y[from + j] = index[j];
  }
}

const ReduceLoops* reduce_loops(ReduceOp op, DType dtype) {
  return pick_loop<const ReduceLoops*>(dtype, [op]<class T>() -> const ReduceLoops* {
    if constexpr (std::is_same_v<T, bool>) {
      if (op == ReduceOp::Any) return loops<AnyOp, bool>();
      if (op == ReduceOp::All) return loops<AllOp, bool>();
    } else {
      if (op == ReduceOp::Sum || op == ReduceOp::Mean) return loops<SumOp, T>();
      if (op == ReduceOp::Prod) return loops<ProdOp, T>();
      if (op == ReduceOp::Max) return loops<MaxOp, T>();
      if (op == ReduceOp::Min) return loops<MinOp, T>();
    }
    return nullptr;
  });
}

ArgLoop arg_loop(bool greatest, DType dtype, DType index_dtype) {
  return pick_loop<ArgLoop>(dtype, [=]<class T>() -> ArgLoop {
    if (index_dtype == DType::Int32) return greatest ? arg<true, T, int32_t> : arg<false, T, int32_t>;
    return greatest ? arg<true, T, int64_t> : arg<false, T, int64_t>;
  });
}

}  // namespace

extern const ReduceKernels reduce_kernels_table = {reduce_loops, arg_loop};

}  // namespace vf::cpu::VF_ISA
