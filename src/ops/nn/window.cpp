#include "ops/nn/window.h"

#include <algorithm>

namespace vf {
namespace {

[[noreturn]] void fail(const Node& n, Code code, const std::string& text) {
  throw Error(code, n.type(), n.name(), text);
}

// SAME: the output has in / stride values, rounded up; what the window lacks is split, the odd one after.
void pad_same(Window& w, int64_t in) {
  if (in <= 0) return;  // nothing to slide over
  const int64_t out = (in + w.stride - 1) / w.stride;
  const int64_t total = std::max<int64_t>(0, (out - 1) * w.stride + (w.size - 1) * w.dilation + 1 - in);
  w.pad_before = total / 2;
  w.pad_after = total - total / 2;
}

}  // namespace

Windows windows_of(const Node& n, std::array<int64_t, 2> sizes, std::array<int64_t, 2> in) {
  if (n.attr<std::string>("data_format") != "NHWC")
    fail(n, Code::Unimplemented, "supports the data_format NHWC only, not " + n.attr<std::string>("data_format"));
  const auto& strides = n.attr<std::vector<int64_t>>("strides");
  if (strides.size() != 4) fail(n, Code::InvalidArgument, "Sliding window strides field must specify 4 dimensions");
  if (strides[0] != 1 || strides[3] != 1)
    fail(n, Code::InvalidArgument,
         "Current implementation does not yet support strides in the batch and depth dimensions.");
  if (sizes[0] == 0 || sizes[1] == 0) fail(n, Code::InvalidArgument, "Sliding window size must be positive");
  if (strides[1] <= 0 || strides[2] <= 0) fail(n, Code::InvalidArgument, "Sliding window strides must be positive");
  Windows w;
  w.h = {sizes[0], strides[1]};
  w.w = {sizes[1], strides[2]};
  if (const auto* d = n.attr_value("dilations").get<std::vector<int64_t>>()) {
    if (d->size() != 4 || (*d)[0] != 1 || (*d)[3] != 1 || (*d)[1] <= 0 || (*d)[2] <= 0)
      fail(n, Code::InvalidArgument, "Dilated rates field must be 4 positive numbers, 1 for batch and depth");
    w.h.dilation = (*d)[1];
    w.w.dilation = (*d)[2];
  }
  const std::string& padding = n.attr<std::string>("padding");
  if (padding == "SAME") {
    w.same = true;
    pad_same(w.h, in[0]);
    pad_same(w.w, in[1]);
  } else if (padding == "EXPLICIT") {
    const auto& p = n.attr<std::vector<int64_t>>("explicit_paddings");
    if (p.size() != 8 || p[0] || p[1] || p[6] || p[7] || *std::min_element(p.begin(), p.end()) < 0)
      fail(n, Code::InvalidArgument, "explicit_paddings must be 8 numbers >= 0, 0 for batch and depth");
    w.h.pad_before = p[2];
    w.h.pad_after = p[3];
    w.w.pad_before = p[4];
    w.w.pad_after = p[5];
  }
  return w;
}

}  // namespace vf
