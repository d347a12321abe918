#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cpu/max_pool_gradient_part.h"

namespace vf::cpu::VF_ISA {
namespace {

// One window of one tile of channels. `pixel` and `row` count elements from one pixel, one row to the next.
void window(const float* source, const float* gradient, float* d_source, int64_t height, int64_t width, int64_t pixel,
            int64_t row, int64_t channels) {
  float largest[kMaxPoolTile];
  int32_t place[kMaxPoolTile];
  for (int64_t c = 0; c < channels; ++c) {
    largest[c] = source[c];
    place[c] = 0;
  }
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = y == 0 ? 1 : 0; x < width; ++x) {
      const float* candidate = source + y * row + x * pixel;
      const int32_t number = static_cast<int32_t>(y * width + x);
      for (int64_t c = 0; c < channels; ++c) {
        const bool larger = candidate[c] > largest[c];
        largest[c] = larger ? candidate[c] : largest[c];
        place[c] = larger ? number : place[c];
      }
    }
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      float* to = d_source + y * row + x * pixel;
      const int32_t number = static_cast<int32_t>(y * width + x);
      for (int64_t c = 0; c < channels; ++c) to[c] += place[c] == number ? gradient[c] : 0.0F;
    }
}

}  // namespace

void max_pool_gradient_part(const MaxPoolGradientPart& part) {
  const PoolingShape& s = part.shape;
  const int64_t pixel = s.channels, row = s.in_w * pixel, out_w = s.out_w(), out_h = s.out_h();
  const float* source = part.source + part.image * s.in_h * row;
  float* d_source = part.d_source + part.image * s.in_h * row;
  const float* gradient = part.d_destination + part.image * out_h * out_w * pixel;
  const int64_t channels = part.last_channel - part.first_channel;
  if (channels == s.channels)
    std::memset(d_source, 0, static_cast<size_t>(s.in_h * row) * sizeof(float));
  else
    for (int64_t i = 0; i < s.in_h * s.in_w; ++i)
      std::memset(d_source + i * pixel + part.first_channel, 0, static_cast<size_t>(channels) * sizeof(float));
  for (int64_t y = 0; y < out_h; ++y)
    for (int64_t x = 0; x < out_w; ++x) {
      const int64_t top = std::max<int64_t>(y * s.stride_h - s.pad_top, 0);
      const int64_t left = std::max<int64_t>(x * s.stride_w - s.pad_left, 0);
      const int64_t height = std::min(y * s.stride_h - s.pad_top + s.k_h, s.in_h) - top;
      const int64_t width = std::min(x * s.stride_w - s.pad_left + s.k_w, s.in_w) - left;
      if (height <= 0 || width <= 0) continue;
      for (int64_t c = part.first_channel; c < part.last_channel; c += kMaxPoolTile)
        window(source + top * row + left * pixel + c, gradient + (y * out_w + x) * pixel + c,
               d_source + top * row + left * pixel + c, height, width, pixel, row,
               std::min(kMaxPoolTile, part.last_channel - c));
    }
}

}  // namespace vf::cpu::VF_ISA
