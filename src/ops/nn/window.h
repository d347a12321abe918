#pragma once
// How convolutions and poolings read TensorFlow's attributes strides, padding, dilations and ksize.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "varflow/graph.h"

namespace vf {

// One spatial dimension of a sliding window.
struct Window {
  int64_t size = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;

  // Output size; -1 for an unknown input size.
  int64_t out(int64_t in) const {
    if (in < 0) return -1;
    const int64_t room = in + pad_before + pad_after - ((size - 1) * dilation + 1);
    return room < 0 ? 0 : room / stride + 1;
  }
};

// Height and width of NHWC. `sizes` are the window's, `in` the input's (-1: unknown, then the padding of SAME is not
// set and `same` says so). InvalidArgument, naming the node, for what is not NHWC or strides over batch or channels.
struct Windows {
  Window h;
  Window w;
  bool same = false;
  int64_t out_h(int64_t in) const { return same ? (in < 0 ? -1 : (in + h.stride - 1) / h.stride) : h.out(in); }
  int64_t out_w(int64_t in) const { return same ? (in < 0 ? -1 : (in + w.stride - 1) / w.stride) : w.out(in); }
};
Windows windows_of(const Node& node, std::array<int64_t, 2> sizes, std::array<int64_t, 2> in);

}  // namespace vf
