#include <cstdint>
#include <cstring>

#include "cpu/pooled_gradient_kernels.h"

namespace vf::cpu::VF_ISA {
namespace {

// 16 channels in as many registers as they take.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr int kChannels = 16;
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));

template <class V, class T>
inline V load(const T* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <class V, class T>
inline void store(T* to, V v) {
  std::memcpy(to, &v, sizeof v);
}

void bias(const float* pooled, const float* gradients, int64_t rows, int64_t channels, float* sums) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    Floats sum{};
    for (int64_t i = 0; i < rows; ++i) {
      const Floats gradient = load<Floats>(gradients + i * channels + c);
      sum += load<Floats>(pooled + i * channels + c) > 0 ? gradient : Floats{};
    }
    store(sums + c, load<Floats>(sums + c) + sum);
  }
}

void choose(const float* activations, const float* gradients, int64_t row, int64_t channels, int64_t count,
            int32_t* places, float* shares) {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t c = 0; c < kChannels; c += kLanes) {
      const float* window = activations + 2 * i * channels + c;
      Floats largest = load<Floats>(window);
      Ints place{};
      const float* const others[] = {window + channels, window + row, window + row + channels};
      for (int k = 0; k < 3; ++k) {
        const Floats candidate = load<Floats>(others[k]);
        const Ints larger = candidate > largest;
        largest = larger ? candidate : largest;
        place = larger ? Ints{} + (k + 1) : place;
      }
      const Floats gradient = load<Floats>(gradients + i * channels + c);
      store(shares + i * kChannels + c, largest > 0 ? gradient : Floats{});
      store(places + i * kChannels + c, place);
    }
}

// Of four floats the one at each lane's place, 0 to 3.
inline Floats pick(const float* four, Ints place) {
#if defined(__clang__)  // has no shuffle by a variable
  const Floats zero{};
  const Ints odd = (place & 1) != 0;
  const Floats low = odd ? four[1] - zero : four[0] - zero;
  const Floats high = odd ? four[3] - zero : four[2] - zero;
  return place > 1 ? high : low;
#else
  return __builtin_shuffle(load<Floats>(four), place);
#endif
}

template <int kTaps>
inline void taps_of(const float* patches, int64_t taps, const int32_t* places, const float* shares, int64_t count,
                    float* sums) {
  for (int64_t c = 0; c < kChannels; c += kLanes) {
    Floats sum[kTaps];
    for (int t = 0; t < kTaps; ++t) sum[t] = load<Floats>(sums + t * kChannels + c);
    for (int64_t i = 0; i < count; ++i) {
      const Floats share = load<Floats>(shares + i * kChannels + c);
      const Ints place = load<Ints>(places + i * kChannels + c);
      const float* patch = patches + i * taps * 4;
      for (int t = 0; t < kTaps; ++t) sum[t] += share * pick(patch + t * 4, place);
    }
    for (int t = 0; t < kTaps; ++t) store(sums + t * kChannels + c, sum[t]);
  }
}

template <int kTaps>
void some_taps(int64_t n, const float* patches, int64_t taps, const int32_t* places, const float* shares, int64_t count,
               float* sums) {
  if constexpr (kTaps > 1)
    if (n < kTaps) return some_taps<kTaps - 1>(n, patches, taps, places, shares, count, sums);
  taps_of<kTaps>(patches, taps, places, shares, count, sums);
}

void add_taps(const float* patches, int64_t taps, const int32_t* places, const float* shares, int64_t count,
              int64_t first, int64_t last, float* sums) {
  some_taps<8>(last - first, patches + first * 4, taps, places, shares, count, sums + first * kChannels);
}

}  // namespace

extern const PooledGradientKernels pooled_gradient_kernels_table = {bias, choose, add_taps};

}  // namespace vf::cpu::VF_ISA
