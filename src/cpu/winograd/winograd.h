#pragma once
// Convolution with stride 1 by Winograd's minimal filtering (algorithm.h): 2.25 to 6.25 times fewer multiplications
// than the direct way, with 1.5 to 10 times its rounding error (measured in tests/cpu/winograd_test.cpp).
//
// Each object is made for one shape and number of threads, and may be run by several threads at once with a scratch for
// each. Floats only; images NHWC, weights HWIO, as in convolution_shape.h; pointers need the alignment of floats,
// scratch 64 bytes. The same bits on any number of threads.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "cpu/convolution_shape.h"
#include "cpu/winograd/winograd_kernels.h"

namespace vf::cpu {

enum class ConvolutionPass : uint8_t { Forward, BackwardData, BackwardWeights };

// Whether the algorithm fits: stride 1, no dilation, no groups, channels in multiples of 16, its size of kernel.
bool winograd_fits(const ConvolutionShape& shape, WinogradKind kind);

// The fastest that fits, by a count of its work, among those with no more than this error (winograd_error); none where
// the direct way should be faster.
std::optional<WinogradKind> choose_winograd(const ConvolutionShape& shape, double most_error);

class Winograd {
 public:
  // The shape is that of the forward pass in all three; it must fit.
  Winograd(const ConvolutionShape& shape, ConvolutionPass pass, WinogradKind kind, int threads, Isa isa = active_isa());
  size_t scratch_bytes() const { return scratch_bytes_; }

  // y = x * w (+ bias [out_c], where not null).
  void forward(const float* x, const float* w, const float* bias, float* y, void* scratch) const;
  void backward_data(const float* dy, const float* w, float* dx, void* scratch) const;
  void backward_weights(const float* x, const float* dy, float* dw, void* scratch) const;

  // How backward-weights is split.
  struct Parts {
    int64_t in = 1, out = 1;  // of input and output channels
  };

 private:
  void filter(const float* x, const float* weights, const float* bias, float* y, float* blocks) const;

  WinogradKind kind_;
  int threads_;
  const WinogradKernels* kernels_;
  WinogradTiles tiles_;  // of what is computed: backward-data is a convolution of dy by the turned weights
  int64_t points_, num_tiles_, panel_, weights_stride_, block_;
  Parts parts_;
  size_t scratch_bytes_;
};

}  // namespace vf::cpu
