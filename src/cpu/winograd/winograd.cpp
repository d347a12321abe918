#include "cpu/winograd/winograd.h"

#include <algorithm>

#include "base/parallel.h"

namespace vf::cpu {

VF_ISA_TABLES(WinogradKernels, winograd_kernels)

namespace {

constexpr int64_t kLine = 16;  // floats
// Floats that one thread's block of transformed tiles may take: they pass through its second-level cache.
constexpr int64_t kBlockFloats = 160 * 1024;
constexpr int64_t kLeastBlock = 24, kMostBlock = 192;
// The least block of backward-weights where its sums are too large for that cache: each block reads and writes them.
constexpr int64_t kLeastBlockOfLargeSums = 64, kLargeSums = 4 * kBlockFloats;

// An odd number of cache lines: what lies at multiples of it does not fall into the same few sets of a cache.
int64_t odd_lines(int64_t floats) { return ((floats / kLine) | 1) * kLine; }

// The widest panel that divides the channels.
int64_t panel_of(int64_t channels) { return channels % 64 == 0 ? 64 : channels % 32 == 0 ? 32 : 16; }

// As many parts as there are threads, where channels allow: input channels first, whose transform costs more.
Winograd::Parts parts_for(int threads, int64_t in_c, int64_t out_c, int64_t panel) {
  const auto most = [](int64_t wanted, int64_t units) {
    while (units % wanted != 0) --wanted;
    return wanted;
  };
  const int64_t in = most(std::min<int64_t>(threads, in_c / kLine), in_c / kLine);
  return {in, most(std::min<int64_t>((threads + in - 1) / in, out_c / panel), out_c / panel)};
}

WinogradTiles tiles_of(const ConvolutionShape& s, bool backward_data, WinogradKind kind) {
  WinogradTiles t;
  t.in_h = backward_data ? s.out_h() : s.in_h;
  t.in_w = backward_data ? s.out_w() : s.in_w;
  t.in_c = backward_data ? s.out_c : s.in_c;
  t.out_h = backward_data ? s.in_h : s.out_h();
  t.out_w = backward_data ? s.in_w : s.out_w();
  t.out_c = backward_data ? s.in_c : s.out_c;
  t.pad_top = backward_data ? s.k_h - 1 - s.pad_top : s.pad_top;
  t.pad_left = backward_data ? s.k_w - 1 - s.pad_left : s.pad_left;
  const int64_t m = winograd_outputs(kind);
  t.tiles_h = (t.out_h + m - 1) / m;
  t.tiles_w = (t.out_w + m - 1) / m;
  return t;
}

}  // namespace

bool winograd_fits(const ConvolutionShape& s, WinogradKind kind) {
  const int64_t r = winograd_kernel(kind);
  return s.k_h == r && s.k_w == r && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 &&
         s.groups == 1 && s.in_c % kLine == 0 && s.out_c % kLine == 0 && s.in_c > 0 && s.out_c > 0 &&
         s.destination_size() > 0;
}

std::optional<WinogradKind> choose_winograd(const ConvolutionShape& s, double most_error) {
  const double pairs = static_cast<double>(s.in_c) * static_cast<double>(s.out_c);
  // In multiplications. Transforms move memory: what a value costs there was measured in multiplications of a matrix
  // product, for tiles that pass through a cache and for weights that are too large for one.
  constexpr double kTileValue = 9, kWeight = 25, kDirect = 1.1;
  double least = kDirect * static_cast<double>(s.k_h * s.k_w * s.batch * s.out_h() * s.out_w()) * pairs;
  std::optional<WinogradKind> best;
  for (int i = 0; i < kWinogradKinds; ++i) {
    const auto kind = static_cast<WinogradKind>(i);
    if (winograd_error(kind) > most_error || !winograd_fits(s, kind)) continue;
    const WinogradTiles t = tiles_of(s, false, kind);
    const double points = winograd_tile(kind) * winograd_tile(kind);
    const auto tiles = static_cast<double>(s.batch * t.tiles_h * t.tiles_w);
    const double work =
        points * (tiles * pairs + kTileValue * tiles * static_cast<double>(s.in_c + s.out_c) + kWeight * pairs);
    if (work >= least) continue;
    least = work;
    best = kind;
  }
  return best;
}

Winograd::Winograd(const ConvolutionShape& shape, ConvolutionPass pass, WinogradKind kind, int threads, Isa isa)
    : kind_(kind),
      threads_(threads),
      kernels_(&winograd_kernels(isa)),
      tiles_(tiles_of(shape, pass == ConvolutionPass::BackwardData, kind)),
      points_(int64_t{winograd_tile(kind)} * winograd_tile(kind)),
      num_tiles_(shape.batch * tiles_.tiles_h * tiles_.tiles_w),
      panel_(panel_of(tiles_.out_c)),
      weights_stride_(odd_lines(tiles_.in_c * tiles_.out_c)) {
  int64_t in = tiles_.in_c, out = tiles_.out_c;
  const auto block_for = [&](int64_t least, int64_t most) {
    return std::min(std::clamp(kBlockFloats / (points_ * (in + out)), least, kMostBlock), most);
  };
  if (pass == ConvolutionPass::BackwardWeights) {
    // Sums of blocks are added up, so their size must not depend on the number of threads.
    block_ = block_for(points_ * in * out > kLargeSums ? kLeastBlockOfLargeSums : kLeastBlock, num_tiles_);
    parts_ = parts_for(threads, in, out, panel_);
    in /= parts_.in;
    out /= parts_.out;
  } else {
    const int64_t share = (num_tiles_ + threads - 1) / threads;
    block_ = block_for(kLeastBlock, share);
    const int64_t blocks = (share + block_ - 1) / block_;
    block_ = (share + blocks - 1) / blocks;  // of about the same size
  }
  const int64_t block = points_ * (odd_lines(block_ * in) + odd_lines(block_ * out));
  scratch_bytes_ = static_cast<size_t>(points_ * weights_stride_ + threads * block) * sizeof(float);
}

void Winograd::forward(const float* x, const float* w, const float* bias, float* y, void* scratch) const {
  const auto& transform = kernels_->transforms[static_cast<int>(kind_)];
  auto* weights = static_cast<float*>(scratch);
  parallel_for(threads_, tiles_.in_c, kLine, [&](int64_t first, int64_t last) {
    transform.weights(w, tiles_.in_c, tiles_.out_c, first, last, panel_, weights, weights_stride_);
  });
  filter(x, weights, bias, y, weights + points_ * weights_stride_);
}

void Winograd::backward_data(const float* dy, const float* w, float* dx, void* scratch) const {
  const auto& transform = kernels_->transforms[static_cast<int>(kind_)];
  auto* weights = static_cast<float*>(scratch);
  parallel_for(threads_, tiles_.in_c / kLine, 1, [&](int64_t first, int64_t last) {
    transform.turned_weights(w, tiles_.out_c, tiles_.in_c, first * kLine, last * kLine, panel_, weights,
                             weights_stride_);
  });
  filter(dy, weights, nullptr, dx, weights + points_ * weights_stride_);
}

void Winograd::filter(const float* x, const float* weights, const float* bias, float* y, float* blocks) const {
  const WinogradTiles& t = tiles_;
  const auto& transform = kernels_->transforms[static_cast<int>(kind_)];
  const int64_t in_stride = odd_lines(block_ * t.in_c), out_stride = odd_lines(block_ * t.out_c);
  const int64_t num_blocks = (num_tiles_ + block_ - 1) / block_;
  parallel_for(threads_, num_blocks, 1, [&](int64_t begin, int64_t end, int64_t worker) {
    float* in = blocks + worker * points_ * (in_stride + out_stride);
    float* sums = in + points_ * in_stride;
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * block_, last = std::min(first + block_, num_tiles_);
      transform.input(t, x, t.in_c, first, last, in, in_stride);
      for (int64_t p = 0; p < points_; ++p)
        for (int64_t k = 0; k < t.out_c; k += panel_)
          kernels_->multiply(in + p * in_stride, t.in_c, 1, last - first, weights + p * weights_stride_ + k * t.in_c,
                             panel_, t.in_c, sums + p * out_stride + k, t.out_c, false);
      transform.output(t, sums, out_stride, first, last, bias, y);
    }
  });
}

void Winograd::backward_weights(const float* x, const float* dy, float* dw, void* scratch) const {
  const WinogradTiles& t = tiles_;
  const auto& transform = kernels_->transforms[static_cast<int>(kind_)];
  float* sums = static_cast<float*>(scratch);
  float* blocks = sums + points_ * weights_stride_;
  // A part is some input channels by some output channels: its sums run over all tiles in order, on one thread.
  const int64_t in = t.in_c / parts_.in, out = t.out_c / parts_.out;
  const int64_t in_stride = odd_lines(block_ * in), out_stride = odd_lines(block_ * out);
  parallel_for(threads_, parts_.in * parts_.out, 1, [&](int64_t begin, int64_t end, int64_t worker) {
    float* images = blocks + worker * points_ * (in_stride + out_stride);
    float* gradients = images + points_ * in_stride;
    for (int64_t part = begin; part < end; ++part) {
      const int64_t c = part / parts_.out * in, k = part % parts_.out * out;
      for (int64_t first = 0; first < num_tiles_; first += block_) {
        const int64_t last = std::min(first + block_, num_tiles_);
        transform.input(t, x + c, in, first, last, images, in_stride);
        transform.gradient(t, dy + k, out, first, last, panel_, gradients, out_stride);
        for (int64_t p = 0; p < points_; ++p)
          for (int64_t j = 0; j < out; j += panel_)
            kernels_->multiply(images + p * in_stride, 1, in, in, gradients + p * out_stride + j * (last - first),
                               panel_, last - first, sums + p * weights_stride_ + c * t.out_c + k + j, t.out_c,
                               first > 0);
      }
    }
  });
  parallel_for(threads_, t.in_c, 8, [&](int64_t begin, int64_t end) {
    transform.weights_gradient(sums, weights_stride_, t.in_c, t.out_c, begin, end, dw);
  });
}

}  // namespace vf::cpu
