#include "cpu/softmax_kernels.h"

#include <cmath>

#include "cpu/float_math.h"
#include "cpu/reduce_ops.h"
#include "cpu/small_floats.h"

// Rows of up to kRunBlock columns are taken several at a time, so that exp sees whole vectors however short a row is;
// longer rows in pieces of kRunBlock.
namespace vf::cpu::VF_ISA {
namespace {

// A NaN needs no care: x - max is NaN there whatever the maximum of the others.
struct PlainMax {
  template <class T>
  static constexpr T identity() {
    return MaxOp::identity<T>();
  }
  template <class V>
  static inline V join(V a, V b) {
    return a < b ? b : a;
  }
};

template <class T>
using Computed = std::conditional_t<std::is_same_v<T, double>, double, float>;

inline float log_of(float x) { return log_float(x); }
inline double log_of(double x) { return ::log(x); }

// e = exp(d)
inline void exponentials(const float* d, float* e, int64_t n) {
  for (int64_t i = 0; i < n; ++i) e[i] = exp_float(d[i]);
}
inline void exponentials(const double* d, double* e, int64_t n) {
  for (int64_t i = 0; i < n; ++i) e[i] = ::exp(d[i]);
}

// Up to kRunBlock values to compute with.
template <class T, class F>
inline const F* values(const T* x, F* tile, int64_t n) {
  if constexpr (is_small<T>) {
    to_floats(x, tile, n);
    return tile;
  } else {
    return x;
  }
}
template <class T, class F>
inline void put(const F* x, T* y, int64_t n) {
  if constexpr (is_small<T>)
    from_floats(x, y, n);
  else
    for (int64_t i = 0; i < n; ++i) y[i] = x[i];
}
template <class T, class F>
inline void put(F x, T& y) {
  if constexpr (is_small<T>)
    store(x, y);
  else
    y = x;
}

// Of several short rows: d = x - max, e = exp(d), sums of e.
template <class F>
inline void parts_of_rows(const F* x, F* d, F* e, F* sums, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    const F max = reduce_block<PlainMax>(x + r * columns, columns);
    for (int64_t j = r * columns; j < (r + 1) * columns; ++j) d[j] = x[j] - max;
  }
  exponentials(d, e, rows * columns);
  for (int64_t r = 0; r < rows; ++r) sums[r] = reduce_block<SumOp>(e + r * columns, columns);
}

// A long row in pieces: f(start, count, values, d, e) for each, d = x - max, e = exp(d).
template <class T, class F, class Each>
inline void each_piece(const T* x, F max, int64_t columns, Each f) {
  F tile[kRunBlock];
  F d[kRunBlock];
  F e[kRunBlock];
  for (int64_t at = 0; at < columns; at += kRunBlock) {
    const int64_t n = columns - at < kRunBlock ? columns - at : kRunBlock;
    const F* v = values(x + at, tile, n);
    for (int64_t i = 0; i < n; ++i) d[i] = v[i] - max;
    exponentials(d, e, n);
    f(at, n, d, e);
  }
}

template <class F, class T>
inline F long_max(const T* x, int64_t columns) {
  F tile[kRunBlock];
  F max = PlainMax::identity<F>();
  for (int64_t at = 0; at < columns; at += kRunBlock) {
    const int64_t n = columns - at < kRunBlock ? columns - at : kRunBlock;
    max = join<PlainMax>(max, reduce_block<PlainMax>(values(x + at, tile, n), n));
  }
  return max;
}

template <class F, class T>
inline F long_sum(const T* x, F max, int64_t columns) {
  Counter<SumOp, F> counter;
  each_piece(x, max, columns,
             [&](int64_t, int64_t n, const F*, const F* e) { counter.push(reduce_block<SumOp>(e, n)); });
  return counter.total();
}

template <class T>
void softmax_rows(bool logarithm, const T* x, T* y, int64_t rows, int64_t columns) {
  using F = Computed<T>;
  if (columns > kRunBlock) {
    for (int64_t r = 0; r < rows; ++r, x += columns, y += columns) {
      const F max = long_max<F>(x, columns);
      const F sum = long_sum(x, max, columns);
      const F scale = F(1) / sum;
      const F log_sum = log_of(sum);
      each_piece(x, max, columns, [&](int64_t at, int64_t n, F* d, F* e) {
        for (int64_t i = 0; i < n; ++i) d[i] = logarithm ? d[i] - log_sum : e[i] * scale;
        put(d, y + at, n);
      });
    }
    return;
  }
  F tile[kRunBlock];
  F d[kRunBlock];
  F e[kRunBlock];
  F sums[kRunBlock];
  const int64_t step = kRunBlock / columns;
  for (int64_t at = 0; at < rows; at += step) {
    const int64_t count = rows - at < step ? rows - at : step;
    parts_of_rows(values(x + at * columns, tile, count * columns), d, e, sums, count, columns);
    for (int64_t r = 0; r < count; ++r) {
      const F scale = F(1) / sums[r];
      const F log_sum = logarithm ? log_of(sums[r]) : F(0);
      for (int64_t j = r * columns; j < (r + 1) * columns; ++j) d[j] = logarithm ? d[j] - log_sum : e[j] * scale;
    }
    put(d, y + at * columns, count * columns);
  }
}

// Loss and gradient of a piece [at, at + n) of one row; the gradient replaces e. Returns the piece's share of the loss.
template <bool sparse, class T, class F>
inline F entropy_piece(const T* labels, int64_t label, F log_sum, F scale, int64_t at, int64_t n, const F* d, F* e) {
  if constexpr (sparse) {
    for (int64_t i = 0; i < n; ++i) e[i] *= scale;
    if (label < at || label >= at + n) return F(0);
    e[label - at] -= F(1);
    return log_sum - d[label - at];
  } else {
    F tile[kRunBlock];
    F losses[kRunBlock];
    const F* wanted = values(labels + at, tile, n);
    for (int64_t i = 0; i < n; ++i) {
      losses[i] = wanted[i] * (log_sum - d[i]);
      e[i] = e[i] * scale - wanted[i];
    }
    return reduce_block<SumOp>(losses, n);
  }
}

template <bool sparse, class T>
void entropy_rows(const T* x, const void* labels, T* loss, T* backprop, int64_t rows, int64_t columns) {
  using F = Computed<T>;
  const auto label = [&](int64_t row) { return sparse ? static_cast<const int64_t*>(labels)[row] : 0; };
  const auto wanted = [&](int64_t row) { return sparse ? nullptr : static_cast<const T*>(labels) + row * columns; };
  if (columns > kRunBlock) {
    for (int64_t r = 0; r < rows; ++r) {
      const T* row = x + r * columns;
      const F max = long_max<F>(row, columns);
      const F sum = long_sum(row, max, columns);
      Counter<SumOp, F> counter;
      each_piece(row, max, columns, [&](int64_t at, int64_t n, const F* d, F* e) {
        counter.push(entropy_piece<sparse>(wanted(r), label(r), log_of(sum), F(1) / sum, at, n, d, e));
        if (backprop) put(e, backprop + r * columns + at, n);
      });
      if (loss) put(counter.total(), loss[r]);
    }
    return;
  }
  F tile[kRunBlock];
  F d[kRunBlock];
  F e[kRunBlock];
  F sums[kRunBlock];
  const int64_t step = kRunBlock / columns;
  for (int64_t at = 0; at < rows; at += step) {
    const int64_t count = rows - at < step ? rows - at : step;
    parts_of_rows(values(x + at * columns, tile, count * columns), d, e, sums, count, columns);
    for (int64_t r = 0; r < count; ++r) {
      const F share = entropy_piece<sparse>(wanted(at + r), label(at + r), log_of(sums[r]), F(1) / sums[r], 0, columns,
                                            d + r * columns, e + r * columns);
      if (loss) put(share, loss[at + r]);
    }
    if (backprop) put(e, backprop + at * columns, count * columns);
  }
}

void softmax(DType dtype, bool logarithm, const void* x, void* y, int64_t rows, int64_t columns) {
  pick_loop<int>(dtype, [=]<class T>() -> int {
    if constexpr (std::is_floating_point_v<T> || is_small<T>)
      softmax_rows(logarithm, static_cast<const T*>(x), static_cast<T*>(y), rows, columns);
    return 0;
  });
}

void cross_entropy(DType dtype, bool sparse, const void* logits, const void* labels, void* loss, void* backprop,
                   int64_t rows, int64_t columns) {
  pick_loop<int>(dtype, [=]<class T>() -> int {
    if constexpr (std::is_floating_point_v<T> || is_small<T>) {
      const T* x = static_cast<const T*>(logits);
      T* l = static_cast<T*>(loss);
      T* b = static_cast<T*>(backprop);
      if (sparse)
        entropy_rows<true>(x, labels, l, b, rows, columns);
      else
        entropy_rows<false>(x, labels, l, b, rows, columns);
    }
    return 0;
  });
}

}  // namespace

extern const SoftmaxKernels softmax_kernels_table = {softmax, cross_entropy};

}  // namespace vf::cpu::VF_ISA
