#include "cpu/batch_norm_kernels.h"
#include "cpu/batch_norm_vectors.h"

namespace vf::cpu::VF_ISA {
namespace {

template <bool kRelu>
void normalize(const BatchNormNormalize& p) {
  over_blocks(p.rows, p.channels, [&](int64_t begin, int64_t height) {
    over_channels<kFloats, 4>(p.channels, 0, [&]<int kLanes, int kVectors>(int64_t c) {
      using V = Vector<kLanes>;
      typename V::Floats mean[kVectors], factor[kVectors], offset[kVectors];
      for (int j = 0; j < kVectors; ++j) {
        mean[j] = V::load(p.mean + c + j * kLanes);
        factor[j] = V::load(p.factor + c + j * kLanes);
        offset[j] = V::load(p.offset + c + j * kLanes);
      }
      const float* from = p.x + begin * p.channels + c;
      float* to = p.y + begin * p.channels + c;
      for (int64_t i = 0; i < height; ++i, from += p.channels, to += p.channels)
        for (int j = 0; j < kVectors; ++j) {
          typename V::Floats v = (V::load(from + j * kLanes) - mean[j]) * factor[j] + offset[j];
          if constexpr (kRelu) v = v < 0 ? typename V::Floats{} : v;
          std::memcpy(to + j * kLanes, &v, sizeof v);
        }
    });
  });
}

template <bool kTraining, bool kRelu>
void change(const BatchNormChange& p) {
  over_blocks(p.rows, p.channels, [&](int64_t begin, int64_t height) {
    over_channels<kFloats, 2>(p.channels, 0, [&]<int kLanes, int kVectors>(int64_t c) {
      using V = Vector<kLanes>;
      typename V::Floats mean[kVectors], factor[kVectors], slope[kVectors], dy_mean[kVectors];
      for (int j = 0; j < kVectors; ++j) {
        factor[j] = V::load(p.factor + c + j * kLanes);
        if constexpr (!kTraining) continue;
        mean[j] = V::load(p.mean + c + j * kLanes);
        slope[j] = V::load(p.slope + c + j * kLanes);
        dy_mean[j] = V::load(p.dy_mean + c + j * kLanes);
      }
      for (int64_t i = 0, at = begin * p.channels + c; i < height; ++i, at += p.channels)
        for (int j = 0; j < kVectors; ++j) {
          const int64_t here = at + j * kLanes;
          typename V::Floats v = V::load(p.dy + here);
          if constexpr (kRelu) v = V::load(p.y + here) > 0 ? v : typename V::Floats{};
          if constexpr (kTraining) v = v - dy_mean[j] - (V::load(p.x + here) - mean[j]) * slope[j];
          v *= factor[j];
          std::memcpy(p.dx + here, &v, sizeof v);
        }
    });
  });
}

}  // namespace

extern const BatchNormKernels batch_norm_kernels_table = {
    {normalize<false>, normalize<true>},
    {{change<false, false>, change<false, true>}, {change<true, false>, change<true, true>}}};

}  // namespace vf::cpu::VF_ISA
