#include "cpu/pooled_gradient.h"

#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "cpu/pooled_gradient_kernels.h"

namespace vf::cpu {

VF_ISA_TABLES(PooledGradientKernels, pooled_gradient_kernels)

namespace {

// Sums are made of this many parts, each by one thread, and added in order.
constexpr int64_t kParts = 16;
constexpr int64_t kRows = 64;      // summed in float before they are added up in double
constexpr int64_t kChannels = 16;  // of a kernel's call
constexpr int64_t kMostInputChannels = 4;
constexpr int64_t kTaps = 8;  // of a kernel's call

int64_t padded(int64_t floats) { return (floats + kChannels - 1) / kChannels * kChannels; }

int64_t taps_of(const ConvolutionShape& s) { return s.k_h * s.k_w * s.in_c; }

// Floats that one thread needs: patches of a row of windows, places and shares of 16 channels, sums of a row in float.
struct Workspace {
  explicit Workspace(const ConvolutionShape& s)
      : patches(padded(s.out_w() / 2 * taps_of(s) * 4 + 12)),
        choices(s.out_w() / 2 * kChannels),
        sums(taps_of(s) * kChannels) {}
  int64_t floats() const { return patches + 2 * choices + sums; }
  int64_t patches, choices, sums;
};

// For each window of one row: for each tap the four values of the image that its four elements multiply.
void gather_patches(const ConvolutionShape& s, const float* image, int64_t window_row, float* patches) {
  const auto pixel = [&](int64_t y, int64_t x, int64_t c) {
    return y < 0 || y >= s.in_h || x < 0 || x >= s.in_w ? 0.0F : image[(y * s.in_w + x) * s.in_c + c];
  };
  for (int64_t window = 0; window < s.out_w() / 2; ++window)
    for (int64_t i = 0; i < s.k_h; ++i)
      for (int64_t j = 0; j < s.k_w; ++j)
        for (int64_t c = 0; c < s.in_c; ++c) {
          const int64_t y = 2 * window_row - s.pad_top + i, x = 2 * window - s.pad_left + j;
          for (int k = 0; k < 4; ++k) *patches++ = pixel(y + k / 2, x + k % 2, c);
        }
}

}  // namespace

size_t pooled_bias_gradient_scratch(int64_t channels) {
  return static_cast<size_t>(kParts * channels) * sizeof(double) +
         static_cast<size_t>(kParts * padded(channels)) * sizeof(float);
}

void pooled_bias_gradient(const PoolingShape& s, const float* pooled, const float* gradients, float* bias,
                          void* scratch, int threads, Isa isa) {
  const auto& kernels = pooled_gradient_kernels(isa);
  const int64_t rows = s.batch * s.out_h() * s.out_w(), channels = s.channels;
  auto* totals = static_cast<double*>(scratch);
  auto* all_sums = reinterpret_cast<float*>(totals + kParts * channels);
  parallel_for(threads, kParts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      double* total = totals + part * channels;
      float* sums = all_sums + part * padded(channels);
      std::fill_n(total, channels, 0.0);
      const int64_t last = rows * (part + 1) / kParts;
      for (int64_t row = rows * part / kParts; row < last; row += kRows) {
        std::fill_n(sums, channels, 0.0F);
        kernels.bias(pooled + row * channels, gradients + row * channels, std::min(kRows, last - row), channels, sums);
        for (int64_t c = 0; c < channels; ++c) total[c] += sums[c];
      }
    }
  });
  for (int64_t c = 0; c < channels; ++c) {
    double total = 0;
    for (int64_t part = 0; part < kParts; ++part) total += totals[part * channels + c];
    bias[c] = static_cast<float>(total);
  }
}

bool pooled_weights_gradient_fits(const PoolingShape& p, const ConvolutionShape& s) {
  return p.k_h == 2 && p.k_w == 2 && p.stride_h == 2 && p.stride_w == 2 && p.pad_top == 0 && p.pad_left == 0 &&
         p.in_h % 2 == 0 && p.in_w % 2 == 0 && p.pad_bottom == 0 && p.pad_right == 0 && s.stride_h == 1 &&
         s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 && s.groups == 1 && s.in_c <= kMostInputChannels &&
         s.out_c % kChannels == 0 && s.destination_size() > 0 && s.out_h() == p.in_h && s.out_w() == p.in_w &&
         s.out_c == p.channels && s.batch == p.batch;
}

size_t pooled_weights_gradient_scratch(const ConvolutionShape& s, int threads) {
  return static_cast<size_t>(kParts * taps_of(s) * s.out_c) * sizeof(double) +
         static_cast<size_t>(threads * Workspace(s).floats()) * sizeof(float);
}

void pooled_weights_gradient(const PoolingShape& p, const ConvolutionShape& s, const float* images,
                             const float* activations, const float* gradients, float* weights, void* scratch,
                             int threads, Isa isa) {
  const auto& kernels = pooled_gradient_kernels(isa);
  const int64_t taps = taps_of(s), size = taps * s.out_c, windows = s.out_w() / 2, row = s.out_w() * s.out_c;
  const Workspace workspace(s);
  auto* totals = static_cast<double*>(scratch);
  auto* workspaces = reinterpret_cast<float*>(totals + kParts * size);
  parallel_for(threads, kParts, 1, [&](int64_t begin, int64_t end, int64_t worker) {
    float* patches = workspaces + worker * workspace.floats();
    auto* places = reinterpret_cast<int32_t*>(patches + workspace.patches);
    float* shares = patches + workspace.patches + workspace.choices;
    float* sums = shares + workspace.choices;
    std::fill_n(patches, workspace.patches, 0.0F);
    for (int64_t part = begin; part < end; ++part) {
      double* total = totals + part * size;
      std::fill_n(total, size, 0.0);
      for (int64_t image = s.batch * part / kParts; image < s.batch * (part + 1) / kParts; ++image)
        for (int64_t y = 0; y < p.out_h(); ++y) {
          gather_patches(s, images + image * s.in_h * s.in_w * s.in_c, y, patches);
          for (int64_t c = 0; c < s.out_c; c += kChannels) {
            kernels.choose(activations + (image * s.out_h() + 2 * y) * row + c,
                           gradients + (image * p.out_h() + y) * windows * s.out_c + c, row, s.out_c, windows, places,
                           shares);
            std::fill_n(sums, workspace.sums, 0.0F);
            for (int64_t tap = 0; tap < taps; tap += kTaps)
              kernels.add_taps(patches, taps, places, shares, windows, tap, std::min(tap + kTaps, taps), sums);
            for (int64_t tap = 0; tap < taps; ++tap)
              for (int64_t k = 0; k < kChannels; ++k) total[tap * s.out_c + c + k] += sums[tap * kChannels + k];
          }
        }
    }
  });
  for (int64_t i = 0; i < size; ++i) {
    double total = 0;
    for (int64_t part = 0; part < kParts; ++part) total += totals[part * size + i];
    weights[i] = static_cast<float>(total);
  }
}

}  // namespace vf::cpu
