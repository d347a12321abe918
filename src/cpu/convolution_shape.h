#pragma once
#include <cstdint>

namespace vf::cpu {

// Of a two-dimensional convolution as TensorFlow's Conv2D computes it (a cross-correlation): activations NHWC, weights
// HWIO.
struct ConvolutionShape {
  int64_t batch = 0, in_h = 0, in_w = 0, in_c = 0;
  int64_t k_h = 0, k_w = 0, out_c = 0;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;  // 1: dense
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  // Channels are cut into this many groups, weights are [k_h, k_w, in_c / groups, out_c], as in TensorFlow. Depthwise
  // weights [k_h, k_w, in_c, multiplier] are those of groups = in_c, out_c = in_c * multiplier.
  int64_t groups = 1;

  int64_t out_h() const { return out_size(in_h, k_h, stride_h, dilation_h, pad_top + pad_bottom); }
  int64_t out_w() const { return out_size(in_w, k_w, stride_w, dilation_w, pad_left + pad_right); }
  int64_t in_size() const { return batch * in_h * in_w * in_c; }
  int64_t weights_size() const { return groups ? k_h * k_w * (in_c / groups) * out_c : 0; }
  int64_t destination_size() const { return batch * out_h() * out_w() * out_c; }

 private:
  static int64_t out_size(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pad) {
    const int64_t room = in + pad - ((k - 1) * dilation + 1);
    return room < 0 ? 0 : room / stride + 1;
  }
};

}  // namespace vf::cpu
