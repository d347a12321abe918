#pragma once
// Winograd's minimal filtering (Winograd 1980; for networks Lavin and Gray 2015): m x m outputs of an r x r correlation
// from an n x n tile of the input, n = m + r - 1, with n * n multiplications in place of m * m * r * r:
//   y = A' ((G w G') * (B' x B)) A     (* element by element; sums over input channels come between)
// The matrices are those of polynomial interpolation (Toom and Cook) at n - 1 points and infinity. Rounding errors grow
// with the range of the points; pairs of opposite points let a transform share its sums.
#include <array>
#include <cstdint>

namespace vf::cpu {

// F(output tile x kernel).
enum class WinogradKind : uint8_t { F2x3, F4x3, F2x5, F4x5 };
inline constexpr int kWinogradKinds = 4;

constexpr int winograd_outputs(WinogradKind kind) {
  return kind == WinogradKind::F2x3 || kind == WinogradKind::F2x5 ? 2 : 4;
}
constexpr int winograd_kernel(WinogradKind kind) {
  return kind == WinogradKind::F2x3 || kind == WinogradKind::F4x3 ? 3 : 5;
}
constexpr int winograd_tile(WinogradKind kind) { return winograd_outputs(kind) + winograd_kernel(kind) - 1; }

// The rounding error of a convolution of 64 channels in floats, 2-norm by 2-norm. Direct sums have about 1e-7.
constexpr double winograd_error(WinogradKind kind) {
  constexpr double kErrors[kWinogradKinds] = {1.3e-7, 4.1e-7, 4.6e-7, 1.5e-6};
  return kErrors[static_cast<int>(kind)];
}

// The finite points: 0, then pairs of opposite ones. Infinity is the last row of each matrix.
template <int kTile>
consteval std::array<double, kTile - 1> winograd_points() {
  constexpr double kRootHalf = 0.70710678118654752440;
  if constexpr (kTile == 4) return {0, 1, -1};
  if constexpr (kTile == 6) return {0, kRootHalf, -kRootHalf, 2 * kRootHalf, -2 * kRootHalf};
  if constexpr (kTile == 8) return {0, 1, -1, 2, -2, 0.5, -0.5};
}

// Row i belongs to point i. `outputs` is A, `kernel` G, `input` B' above.
template <WinogradKind kKind>
struct WinogradMatrices {
  static constexpr int kOutputs = winograd_outputs(kKind);
  static constexpr int kKernel = winograd_kernel(kKind);
  static constexpr int kTile = winograd_tile(kKind);
  double outputs[kTile][kOutputs] = {};
  double kernel[kTile][kKernel] = {};
  double input[kTile][kTile] = {};

  consteval WinogradMatrices() {
    constexpr auto points = winograd_points<kTile>();
    for (int i = 0; i < kTile - 1; ++i) {
      double product = 1;
      for (int k = 0; k < kTile - 1; ++k)
        if (k != i) product *= points[i] - points[k];
      double power = 1;
      for (int j = 0; j < kOutputs || j < kKernel; ++j, power *= points[i]) {
        if (j < kOutputs) outputs[i][j] = power;
        if (j < kKernel) kernel[i][j] = power / product;
      }
      multiply_out(input[i], points, i);
    }
    outputs[kTile - 1][kOutputs - 1] = 1;
    kernel[kTile - 1][kKernel - 1] = 1;
    multiply_out(input[kTile - 1], points, -1);
  }

 private:
  // Coefficients of the product of (x - point) over all points but `without`, the constant first.
  static consteval void multiply_out(double* coefficients, const std::array<double, kTile - 1>& points, int without) {
    coefficients[0] = 1;
    int degree = 0;
    for (int k = 0; k < kTile - 1; ++k) {
      if (k == without) continue;
      ++degree;
      for (int j = degree; j >= 0; --j)
        coefficients[j] = (j > 0 ? coefficients[j - 1] : 0) - points[k] * (j < degree ? coefficients[j] : 0);
    }
    // What opposite points cancel is exactly zero.
    for (int j = 0; j < kTile; ++j)
      if (coefficients[j] < 1e-12 && coefficients[j] > -1e-12) coefficients[j] = 0;
  }
};

}  // namespace vf::cpu
