#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cpu/max_pool_gradient_part.h"

namespace vf::cpu::VF_ISA {
namespace {

// The channels that one register holds.
#if defined(__AVX512F__)
constexpr int kWidest = 16;
#elif defined(__AVX2__)
constexpr int kWidest = 8;
#else
constexpr int kWidest = 4;
#endif

// Vectors of GCC and Clang.
template <int kLanes>
struct Vector {
  typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
  typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));
  static Floats load(const float* from) {
    Floats value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
};

struct Window {
  int64_t height, width;  // of the part inside the image
  int64_t pixel, row;     // elements from one pixel, one row to the next
};

// kLanes channels of one window. With kAdd gradients are added to what is there, else they replace it; with `relu` only
// where the largest is positive.
template <bool kAdd, int kLanes>
inline void lanes_of_window(const Window& w, const float* source, const float* gradient, float* d_source, bool relu) {
  using V = Vector<kLanes>;
  typename V::Floats largest = V::load(source);
  typename V::Ints place{};
  int32_t number = 0;
  for (int64_t y = 0; y < w.height; ++y)
    for (int64_t x = 0; x < w.width; ++x, ++number) {
      const typename V::Floats candidate = V::load(source + y * w.row + x * w.pixel);
      const typename V::Ints larger = candidate > largest;
      largest = larger ? candidate : largest;
      place = larger ? typename V::Ints{} + number : place;
    }
  typename V::Floats share = V::load(gradient);
  if (relu) share = largest > 0 ? share : typename V::Floats{};
  number = 0;
  for (int64_t y = 0; y < w.height; ++y)
    for (int64_t x = 0; x < w.width; ++x, ++number) {
      float* to = d_source + y * w.row + x * w.pixel;
      const typename V::Ints here = place == number;
      typename V::Floats result = here ? share : typename V::Floats{};
      if (kAdd) result += V::load(to);
      std::memcpy(to, &result, sizeof result);
    }
}

// All channels of one window from the c-th on, the last ones in ever narrower vectors.
template <bool kAdd, int kLanes = kWidest>
inline void window(const Window& w, const float* source, const float* gradient, float* d_source, int64_t channels,
                   bool relu, int64_t c = 0) {
  for (; c + kLanes <= channels; c += kLanes)
    lanes_of_window<kAdd, kLanes>(w, source + c, gradient + c, d_source + c, relu);
  if constexpr (kLanes > 1)
    if (c < channels) window<kAdd, kLanes / 2>(w, source, gradient, d_source, channels, relu, c);
}

}  // namespace

static void max_pool_gradient_part(const MaxPoolGradientPart& part) {
  const PoolingShape& s = part.shape;
  const int64_t pixel = s.channels, row = s.in_w * pixel, out_w = s.out_w(), out_h = s.out_h();
  const int64_t channels = part.last_channel - part.first_channel;
  const float* source = part.source + part.image * s.in_h * row + part.first_channel;
  float* d_source = part.d_source + part.image * s.in_h * row + part.first_channel;
  const float* gradient = part.d_destination + part.image * out_h * out_w * pixel + part.first_channel;
  // Windows beside each other that cover the image write every element once; else it starts from zeros.
  const bool apart = s.stride_h >= s.k_h && s.stride_w >= s.k_w;
  const bool covers = s.stride_h == s.k_h && s.stride_w == s.k_w && out_h * s.k_h - s.pad_top >= s.in_h &&
                      out_w * s.k_w - s.pad_left >= s.in_w;
  if (!covers) {
    if (channels == pixel)
      std::memset(d_source, 0, static_cast<size_t>(s.in_h * row) * sizeof(float));
    else
      for (int64_t i = 0; i < s.in_h * s.in_w; ++i)
        std::memset(d_source + i * pixel, 0, static_cast<size_t>(channels) * sizeof(float));
  }
  for (int64_t y = 0; y < out_h; ++y)
    for (int64_t x = 0; x < out_w; ++x) {
      const int64_t top = std::max<int64_t>(y * s.stride_h - s.pad_top, 0);
      const int64_t left = std::max<int64_t>(x * s.stride_w - s.pad_left, 0);
      const Window w{.height = std::min(y * s.stride_h - s.pad_top + s.k_h, s.in_h) - top,
                     .width = std::min(x * s.stride_w - s.pad_left + s.k_w, s.in_w) - left,
                     .pixel = pixel,
                     .row = row};
      if (w.height <= 0 || w.width <= 0) continue;
      const int64_t first = top * row + left * pixel;
      const float* share = gradient + (y * out_w + x) * pixel;
      if (apart)
        window<false>(w, source + first, share, d_source + first, channels, part.relu);
      else
        window<true>(w, source + first, share, d_source + first, channels, part.relu);
    }
}

extern const MaxPoolGradientKernels max_pool_gradient_kernels_table = {max_pool_gradient_part};

}  // namespace vf::cpu::VF_ISA
