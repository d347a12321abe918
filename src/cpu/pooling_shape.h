#pragma once
// The geometry of a two-dimensional pooling over NHWC activations.
#include <cstdint>

namespace vf::cpu {

struct PoolingShape {
  int64_t batch = 0, in_h = 0, in_w = 0, channels = 0;
  int64_t k_h = 1, k_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  int64_t out_h() const { return out_size(in_h, k_h, stride_h, pad_top + pad_bottom); }
  int64_t out_w() const { return out_size(in_w, k_w, stride_w, pad_left + pad_right); }
  int64_t in_size() const { return batch * in_h * in_w * channels; }
  int64_t out_size() const { return batch * out_h() * out_w() * channels; }

 private:
  static int64_t out_size(int64_t in, int64_t k, int64_t stride, int64_t pad) {
    return in + pad < k ? 0 : (in + pad - k) / stride + 1;
  }
};

}  // namespace vf::cpu
