#include <cstdint>
#include <cstring>

#include "cpu/winograd/winograd_kernels.h"

namespace vf::cpu::VF_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));

inline Floats load(const float* from) {
  Floats v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Floats v) { std::memcpy(to, &v, sizeof v); }

// One matrix of an algorithm, so that its coefficients are constants of the code.
template <WinogradKind kKind>
struct OutputMatrix {
  static constexpr int kRows = winograd_tile(kKind), kColumns = winograd_outputs(kKind);
  static constexpr WinogradMatrices<kKind> kAll{};
  static constexpr double at(int row, int column) { return kAll.outputs[row][column]; }
};
template <WinogradKind kKind>
struct KernelMatrix {
  static constexpr int kRows = winograd_tile(kKind), kColumns = winograd_kernel(kKind);
  static constexpr WinogradMatrices<kKind> kAll{};
  static constexpr double at(int row, int column) { return kAll.kernel[row][column]; }
};
template <WinogradKind kKind>
struct InputMatrix {
  static constexpr int kRows = winograd_tile(kKind), kColumns = winograd_tile(kKind);
  static constexpr WinogradMatrices<kKind> kAll{};
  static constexpr double at(int row, int column) { return kAll.input[row][column]; }
};

// total + factor * v, cheaper where the factor allows.
template <class M, int kRow, int kColumn, bool kFirst>
inline Floats add_term(Floats total, Floats v) {
  constexpr double factor = M::at(kRow, kColumn);
  if constexpr (kFirst && factor == 1) return v;
  if constexpr (kFirst && factor == -1) return -v;
  if constexpr (kFirst) return v * static_cast<float>(factor);
  if constexpr (factor == 1) return total + v;
  if constexpr (factor == -1) return total - v;
  return total + v * static_cast<float>(factor);
}

// The sum of M[row][j] * in[j] over j = kColumn, kColumn + kStep, ...
template <class M, int kRow, int kColumn, int kStep, bool kFirst = true>
inline Floats along_row(const Floats* in, Floats total = Floats()) {
  if constexpr (kColumn >= M::kColumns) {
    return total;
  } else if constexpr (M::at(kRow, kColumn) == 0) {
    return along_row<M, kRow, kColumn + kStep, kStep, kFirst>(in, total);
  } else {
    return along_row<M, kRow, kColumn + kStep, kStep, false>(in,
                                                             add_term<M, kRow, kColumn, kFirst>(total, in[kColumn]));
  }
}

// out = M in. Rows 2k + 1 and 2k + 2 belong to opposite points: equal in even columns, opposite in odd ones.
template <class M, int kRow = 0>
inline void multiply(const Floats* in, Floats* out) {
  if constexpr (kRow == 0) {
    out[0] = along_row<M, 0, 0, 1>(in);
    multiply<M, 1>(in, out);
  } else if constexpr (kRow == M::kRows - 1) {
    out[kRow] = along_row<M, kRow, 0, 1>(in);
  } else {
    const Floats even = along_row<M, kRow, 0, 2>(in);
    const Floats odd = along_row<M, kRow, 1, 2>(in);
    out[kRow] = even + odd;
    out[kRow + 1] = even - odd;
    multiply<M, kRow + 2>(in, out);
  }
}

// The sum of M[i][kColumn] * in[i] over i, where in[i], in[i + 1] of a pair are already their sum and difference.
template <class M, int kColumn, int kRow, bool kFirst>
inline Floats along_column(const Floats* in, Floats total = Floats()) {
  if constexpr (kRow >= M::kRows) {
    return total;
  } else {
    constexpr bool single = kRow == 0 || kRow == M::kRows - 1;
    constexpr int from = single || kColumn % 2 == 0 ? kRow : kRow + 1;
    constexpr int next = single ? kRow + 1 : kRow + 2;
    if constexpr (M::at(kRow, kColumn) == 0)
      return along_column<M, kColumn, next, kFirst>(in, total);
    else
      return along_column<M, kColumn, next, false>(in, add_term<M, kRow, kColumn, kFirst>(total, in[from]));
  }
}

template <class M, int kColumn = 0>
inline void columns(const Floats* in, Floats* out) {
  if constexpr (kColumn < M::kColumns) {
    out[kColumn] = along_column<M, kColumn, 0, true>(in);
    columns<M, kColumn + 1>(in, out);
  }
}

// out = M' in.
template <class M>
inline void multiply_transposed(const Floats* in, Floats* out) {
  Floats paired[M::kRows];
  paired[0] = in[0];
  for (int i = 1; i + 1 < M::kRows; i += 2) {
    paired[i] = in[i] + in[i + 1];
    paired[i + 1] = in[i] - in[i + 1];
  }
  paired[M::kRows - 1] = in[M::kRows - 1];
  columns<M>(paired, out);
}

// M x M' of a square x, which get(row, column) gives; put(row, column, value) takes the result.
template <class M, class Get, class Put>
inline void transform(Get get, Put put) {
  Floats half[M::kColumns][M::kRows];
  for (int x = 0; x < M::kColumns; ++x) {
    Floats column[M::kColumns];
    for (int y = 0; y < M::kColumns; ++y) column[y] = get(y, x);
    multiply<M>(column, half[x]);
  }
  for (int y = 0; y < M::kRows; ++y) {
    Floats row[M::kColumns], result[M::kRows];
    for (int x = 0; x < M::kColumns; ++x) row[x] = half[x][y];
    multiply<M>(row, result);
    for (int x = 0; x < M::kRows; ++x) put(y, x, result[x]);
  }
}

// M' x M.
template <class M, class Get, class Put>
inline void transform_back(Get get, Put put) {
  Floats half[M::kRows][M::kColumns];
  for (int x = 0; x < M::kRows; ++x) {
    Floats column[M::kRows];
    for (int y = 0; y < M::kRows; ++y) column[y] = get(y, x);
    multiply_transposed<M>(column, half[x]);
  }
  for (int y = 0; y < M::kColumns; ++y) {
    Floats row[M::kRows], result[M::kColumns];
    for (int x = 0; x < M::kRows; ++x) row[x] = half[x][y];
    multiply_transposed<M>(row, result);
    for (int x = 0; x < M::kColumns; ++x) put(y, x, result[x]);
  }
}

// Where a tile lies in an image of height x width, and how much of it is inside.
struct Place {
  int64_t image, top, left;
  bool inside(int size, int64_t height, int64_t width) const {
    return top >= 0 && left >= 0 && top + size <= height && left + size <= width;
  }
  bool inside(int y, int x, int64_t height, int64_t width) const {
    return top + y >= 0 && top + y < height && left + x >= 0 && left + x < width;
  }
};

inline Place place_of(const WinogradTiles& t, int64_t tile, int outputs, int64_t pad_top, int64_t pad_left) {
  const int64_t x = tile % t.tiles_w, y = tile / t.tiles_w % t.tiles_h;
  return {tile / t.tiles_w / t.tiles_h, y * outputs - pad_top, x * outputs - pad_left};
}

template <WinogradKind kKind>
void transform_weights(const float* weights, int64_t in_c, int64_t out_c, int64_t first, int64_t last, int64_t panel,
                       float* to, int64_t stride) {
  using M = KernelMatrix<kKind>;
  for (int64_t c = first; c < last; ++c)
    for (int64_t k = 0; k < out_c; k += kLanes) {
      float* destination = to + k / panel * panel * in_c + c * panel + k % panel;
      transform<M>([&](int y, int x) { return load(weights + ((y * M::kColumns + x) * in_c + c) * out_c + k); },
                   [&](int y, int x, Floats v) { store(destination + (y * M::kRows + x) * stride, v); });
    }
}

// Of the convolution that is backward-data: taps in reverse, input and output channels changed over, in squares of
// channels that stay in the first-level cache.
template <WinogradKind kKind>
void transform_turned_weights(const float* weights, int64_t in_c, int64_t out_c, int64_t first, int64_t last,
                              int64_t panel, float* to, int64_t stride) {
  using M = KernelMatrix<kKind>;
  constexpr int kSquare = 16;
  constexpr int kTaps = M::kColumns * M::kColumns;
  for (int64_t k = first; k < last; k += kSquare)
    for (int64_t c = 0; c < in_c; c += kSquare) {
      float squares[kTaps][kSquare][kSquare];
      for (int tap = 0; tap < kTaps; ++tap) {
        float square[kSquare][kSquare];
        for (int i = 0; i < kSquare; ++i)
          std::memcpy(square[i], weights + (tap * in_c + c + i) * out_c + k, sizeof square[i]);
        for (int i = 0; i < kSquare; ++i)
          for (int j = 0; j < kSquare; ++j) squares[kTaps - 1 - tap][i][j] = square[j][i];
      }
      for (int i = 0; i < kSquare; ++i)
        for (int j = 0; j < kSquare; j += kLanes) {
          float* destination = to + (c + j) / panel * panel * out_c + (k + i) * panel + (c + j) % panel;
          transform<M>([&](int y, int x) { return load(&squares[y * M::kColumns + x][i][j]); },
                       [&](int y, int x, Floats v) { store(destination + (y * M::kRows + x) * stride, v); });
        }
    }
}

template <WinogradKind kKind>
void transform_input(const WinogradTiles& t, const float* images, int64_t channels, int64_t first, int64_t last,
                     float* to, int64_t stride) {
  using M = InputMatrix<kKind>;
  const int64_t row = t.in_w * t.in_c;
  for (int64_t tile = first; tile < last; ++tile) {
    const Place p = place_of(t, tile, winograd_outputs(kKind), t.pad_top, t.pad_left);
    const int64_t at = p.image * t.in_h * row + p.top * row + p.left * t.in_c;
    float* destination = to + (tile - first) * channels;
    const bool inside = p.inside(M::kColumns, t.in_h, t.in_w);
    for (int64_t c = 0; c < channels; c += kLanes) {
      const auto put = [&](int y, int x, Floats v) { store(destination + c + (y * M::kRows + x) * stride, v); };
      if (inside)
        transform<M>([&](int y, int x) { return load(images + at + y * row + x * t.in_c + c); }, put);
      else
        transform<M>(
            [&](int y, int x) {
              return p.inside(y, x, t.in_h, t.in_w) ? load(images + at + y * row + x * t.in_c + c) : Floats{};
            },
            put);
    }
  }
}

template <WinogradKind kKind>
void transform_gradient(const WinogradTiles& t, const float* gradients, int64_t channels, int64_t first, int64_t last,
                        int64_t panel, float* to, int64_t stride) {
  using M = OutputMatrix<kKind>;
  const int64_t row = t.out_w * t.out_c;
  for (int64_t tile = first; tile < last; ++tile) {
    const Place p = place_of(t, tile, M::kColumns, 0, 0);
    const float* from = gradients + p.image * t.out_h * row + p.top * row + p.left * t.out_c;
    const bool inside = p.inside(M::kColumns, t.out_h, t.out_w);
    for (int64_t k = 0; k < channels; k += kLanes) {
      float* destination = to + k / panel * panel * (last - first) + (tile - first) * panel + k % panel;
      const auto put = [&](int y, int x, Floats v) { store(destination + (y * M::kRows + x) * stride, v); };
      if (inside)
        transform<M>([&](int y, int x) { return load(from + y * row + x * t.out_c + k); }, put);
      else
        transform<M>(
            [&](int y, int x) {
              return p.inside(y, x, t.out_h, t.out_w) ? load(from + y * row + x * t.out_c + k) : Floats{};
            },
            put);
    }
  }
}

template <WinogradKind kKind>
void transform_output(const WinogradTiles& t, const float* sums, int64_t stride, int64_t first, int64_t last,
                      const float* bias, float* outputs) {
  using M = OutputMatrix<kKind>;
  const int64_t row = t.out_w * t.out_c;
  for (int64_t tile = first; tile < last; ++tile) {
    const Place p = place_of(t, tile, M::kColumns, 0, 0);
    float* to = outputs + p.image * t.out_h * row + p.top * row + p.left * t.out_c;
    const float* from = sums + (tile - first) * t.out_c;
    const bool inside = p.inside(M::kColumns, t.out_h, t.out_w);
    for (int64_t k = 0; k < t.out_c; k += kLanes) {
      const Floats shift = bias ? load(bias + k) : Floats{};
      transform_back<M>([&](int y, int x) { return load(from + (y * M::kRows + x) * stride + k); },
                        [&](int y, int x, Floats v) {
                          if (inside || p.inside(y, x, t.out_h, t.out_w))
                            store(to + y * row + x * t.out_c + k, bias ? v + shift : v);
                        });
    }
  }
}

template <WinogradKind kKind>
void transform_weights_gradient(const float* sums, int64_t stride, int64_t in_c, int64_t out_c, int64_t first,
                                int64_t last, float* to) {
  using M = KernelMatrix<kKind>;
  for (int64_t c = first; c < last; ++c)
    for (int64_t k = 0; k < out_c; k += kLanes)
      transform_back<M>([&](int y, int x) { return load(sums + (y * M::kRows + x) * stride + c * out_c + k); },
                        [&](int y, int x, Floats v) { store(to + ((y * M::kColumns + x) * in_c + c) * out_c + k, v); });
}

// kRows x (kVectors * kLanes) of the product, held in registers.
template <int kRows, int kVectors>
inline void register_block(const float* a, int64_t row, int64_t step, const float* b, int64_t panel, int64_t depth,
                           float* c, int64_t c_row, bool add) {
  Floats sums[kRows][kVectors];
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kVectors; ++j) sums[i][j] = Floats{};
  for (int64_t l = 0; l < depth; ++l, a += step, b += panel) {
    Floats right[kVectors];
    for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kLanes);
    for (int i = 0; i < kRows; ++i) {
      const Floats left = a[i * row] - Floats{};
      for (int j = 0; j < kVectors; ++j) sums[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kVectors; ++j) {
      float* to = c + i * c_row + j * kLanes;
      store(to, add ? load(to) + sums[i][j] : sums[i][j]);
    }
}

// register_block of `height` rows, which is at most kRows.
template <int kRows, int kVectors>
inline void block_of(int64_t height, const float* a, int64_t row, int64_t step, const float* b, int64_t panel,
                     int64_t depth, float* c, int64_t c_row, bool add) {
  if constexpr (kRows > 1)
    if (height < kRows) return block_of<kRows - 1, kVectors>(height, a, row, step, b, panel, depth, c, c_row, add);
  register_block<kRows, kVectors>(a, row, step, b, panel, depth, c, c_row, add);
}

// All rows of kVectors vectors of columns, in blocks of about the same height.
template <int kRows, int kVectors>
inline void rows_of(const float* a, int64_t row, int64_t step, int64_t rows, const float* b, int64_t panel,
                    int64_t depth, float* c, int64_t c_row, bool add) {
  for (int64_t blocks = (rows + kRows - 1) / kRows; blocks > 0; --blocks) {
    const int64_t height = (rows + blocks - 1) / blocks;
    block_of<kRows, kVectors>(height, a, row, step, b, panel, depth, c, c_row, add);
    rows -= height;
    a += height * row;
    c += height * c_row;
  }
}

void multiply_matrices(const float* a, int64_t row, int64_t step, int64_t rows, const float* b, int64_t panel,
                       int64_t depth, float* c, int64_t c_row, bool add) {
  int64_t j = 0;
#if defined(__AVX512F__)
  for (; j + 64 <= panel; j += 64) rows_of<6, 4>(a, row, step, rows, b + j, panel, depth, c + j, c_row, add);
  for (; j + 32 <= panel; j += 32) rows_of<12, 2>(a, row, step, rows, b + j, panel, depth, c + j, c_row, add);
  for (; j < panel; j += 16) rows_of<12, 1>(a, row, step, rows, b + j, panel, depth, c + j, c_row, add);
#else
  for (; j < panel; j += 2 * kLanes) rows_of<6, 2>(a, row, step, rows, b + j, panel, depth, c + j, c_row, add);
#endif
}

template <WinogradKind kKind>
constexpr WinogradKernels::Transforms transforms() {
  return {transform_weights<kKind>,  transform_turned_weights<kKind>, transform_input<kKind>,
          transform_gradient<kKind>, transform_output<kKind>,         transform_weights_gradient<kKind>};
}

}  // namespace

extern const WinogradKernels winograd_kernels_table = {
    {transforms<WinogradKind::F2x3>(), transforms<WinogradKind::F4x3>(), transforms<WinogradKind::F2x5>(),
     transforms<WinogradKind::F4x5>()},
    multiply_matrices};

}  // namespace vf::cpu::VF_ISA
