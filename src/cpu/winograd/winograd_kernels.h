#pragma once
// The loops of Winograd convolution, compiled per instruction set. Channels are multiples of 16.
#include <cstdint>

#include "cpu/isa.h"
#include "cpu/winograd/algorithm.h"

namespace vf::cpu {

// The tiles of one convolution: tile (b, y, x), counted in this order, makes the outputs from (y * m, x * m) on.
struct WinogradTiles {
  int64_t in_h, in_w, in_c;
  int64_t out_h, out_w, out_c;
  int64_t pad_top, pad_left;
  int64_t tiles_h, tiles_w;
};

// A point's part of transformed values lies `stride` floats after that of the point before. Weights and gradients are
// cut into panels of `panel` output channels: [out_c / panel][rows][panel].
struct WinogradKernels {
  struct Transforms {
    // weights [r, r, in_c, out_c], for input channels [first, last), into panels of rows = in_c.
    void (*weights)(const float* weights, int64_t in_c, int64_t out_c, int64_t first, int64_t last, int64_t panel,
                    float* to, int64_t stride);
    // The same for backward-data, a convolution of gradients with out_c channels by the turned weights: for those of
    // its input channels that lie in [first, last), multiples of 16, into panels of in_c.
    void (*turned_weights)(const float* weights, int64_t in_c, int64_t out_c, int64_t first, int64_t last,
                           int64_t panel, float* to, int64_t stride);
    // Tiles [first, last) of the first `channels` channels of images [.., in_h, in_w, in_c], to
    // [tile - first][channels].
    void (*input)(const WinogradTiles& tiles, const float* images, int64_t channels, int64_t first, int64_t last,
                  float* to, int64_t stride);
    // Tiles [first, last) of the first `channels` channels of gradients [.., out_h, out_w, out_c], into panels whose
    // rows are these tiles.
    void (*gradient)(const WinogradTiles& tiles, const float* gradients, int64_t channels, int64_t first, int64_t last,
                     int64_t panel, float* to, int64_t stride);
    // The way back: sums [tile - first][out_c] of each point, to outputs [.., out_h, out_w, out_c], plus the bias where
    // there is one.
    void (*output)(const WinogradTiles& tiles, const float* sums, int64_t stride, int64_t first, int64_t last,
                   const float* bias, float* outputs);
    // sums [in_c][out_c] of each point, to the gradient of the weights [r, r, in_c, out_c].
    void (*weights_gradient)(const float* sums, int64_t stride, int64_t in_c, int64_t out_c, int64_t first,
                             int64_t last, float* to);
  };
  Transforms transforms[kWinogradKinds];

  // c[i][j] (+)= sum over l of a[i * row + l * step] * b[l * panel + j], for i < rows, j < panel, l < depth.
  // Sums run over l in order, in fused multiply-adds where the instruction set has them.
  void (*multiply)(const float* a, int64_t row, int64_t step, int64_t rows, const float* b, int64_t panel,
                   int64_t depth, float* c, int64_t c_row, bool add);
};
const WinogradKernels& winograd_kernels(Isa isa);

}  // namespace vf::cpu
