#include "io/filter_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vf::io {
namespace {

using Color = std::array<uint8_t, 3>;
constexpr Color kLine = {48, 48, 48}, kNotFinite = {255, 221, 0};
constexpr std::array<double, 3> kNegative = {33, 102, 172}, kZero = {255, 255, 255}, kPositive = {178, 24, 43};
constexpr int64_t kMostPixels = 64'000'000;
constexpr int32_t kLineWidth = 2;

void check_kernel(const Tensor& kernel) {
  if (kernel.shape().rank() != 4 || kernel.num_elements() == 0 || !is_plain(kernel.dtype()) ||
      is_complex(kernel.dtype())) {
    throw Error(Code::InvalidArgument, fmt::format("a kernel [height, width, in, out] of numbers is wanted, not {} {}",
                                                   dtype_name(kernel.dtype()), kernel.shape().str()));
  }
}

// Of the channels that are drawn.
int64_t drawn_channels(const Tensor& kernel) { return kernel.shape()[2] == 3 ? 3 : 1; }

double weight(const Tensor& kernel, int64_t y, int64_t x, int64_t in, int64_t out) {
  const Shape& s = kernel.shape();
  return kernel.number(((y * s[1] + x) * s[2] + in) * s[3] + out);
}

double largest_drawn(const Tensor& kernel) {
  const Shape& s = kernel.shape();
  double largest = 0;
  for (int64_t i = 0; i < s[0] * s[1]; ++i) {
    for (int64_t j = 0; j < drawn_channels(kernel) * s[3]; ++j) {
      const double value = std::abs(kernel.number(i * s[2] * s[3] + j));
      if (std::isfinite(value)) largest = std::max(largest, value);
    }
  }
  return largest;
}

// `t` from -1 to 1.
Color diverging(double t) {
  const auto& end = t < 0 ? kNegative : kPositive;
  Color color;
  for (size_t c = 0; c < 3; ++c)
    color[c] = static_cast<uint8_t>(std::lround(kZero[c] + std::abs(t) * (end[c] - kZero[c])));
  return color;
}

Color color_of(const Tensor& kernel, int64_t y, int64_t x, int64_t out, double limit) {
  const auto channels = drawn_channels(kernel);
  std::array<double, 3> t{};
  for (int64_t c = 0; c < channels; ++c) {
    const double value = weight(kernel, y, x, c, out);
    if (!std::isfinite(value)) return kNotFinite;
    t[static_cast<size_t>(c)] = limit > 0 ? std::clamp(value / limit, -1.0, 1.0) : 0;
  }
  if (channels == 1) return diverging(t[0]);
  Color color;
  for (size_t c = 0; c < 3; ++c) color[c] = static_cast<uint8_t>(std::lround(128 + 127 * t[c]));
  return color;
}

int64_t choose_columns(int64_t tiles) {
  const auto least = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(tiles))));
  for (int64_t columns = least; columns <= 2 * least; ++columns) {
    if (tiles % columns == 0) return columns;
  }
  return least;
}

void fill(Picture* picture, int64_t top, int64_t left, int64_t height, int64_t width, const Color& color) {
  for (int64_t y = top; y < top + height; ++y) {
    for (int64_t x = left; x < left + width; ++x) {
      std::copy(color.begin(), color.end(), picture->at(static_cast<int32_t>(y), static_cast<int32_t>(x)));
    }
  }
}

}  // namespace

Picture draw_filters(const Tensor& kernel, const FilterPictureOptions& options) {
  check_kernel(kernel);
  const Shape& s = kernel.shape();
  if (options.scale < 1 || options.columns < 0) {
    throw Error(Code::InvalidArgument, fmt::format("scale {}, columns {}", options.scale, options.columns));
  }
  const int64_t columns = options.columns > 0 ? std::min<int64_t>(options.columns, s[3]) : choose_columns(s[3]);
  const int64_t rows = (s[3] + columns - 1) / columns;
  // In double: sizes of a tensor of broken shape could overflow.
  const double wide =
      static_cast<double>(columns) * (static_cast<double>(s[1]) * options.scale + kLineWidth) + kLineWidth;
  const double high = static_cast<double>(rows) * (static_cast<double>(s[0]) * options.scale + kLineWidth) + kLineWidth;
  if (wide * high > static_cast<double>(kMostPixels)) {
    throw Error(Code::InvalidArgument, fmt::format("a picture of {:.0f} x {:.0f} pixels is too large", high, wide));
  }
  const double limit = options.limit > 0 ? options.limit : largest_drawn(kernel);
  Picture picture(static_cast<int32_t>(high), static_cast<int32_t>(wide), 3);
  fill(&picture, 0, 0, picture.height, picture.width, kLine);
  for (int64_t out = 0; out < s[3]; ++out) {
    const int64_t top = kLineWidth + out / columns * (s[0] * options.scale + kLineWidth);
    const int64_t left = kLineWidth + out % columns * (s[1] * options.scale + kLineWidth);
    for (int64_t y = 0; y < s[0]; ++y) {
      for (int64_t x = 0; x < s[1]; ++x) {
        fill(&picture, top + y * options.scale, left + x * options.scale, options.scale, options.scale,
             color_of(kernel, y, x, out, limit));
      }
    }
  }
  return picture;
}

Picture draw_filters_before_after(const Tensor& before, const Tensor& after, FilterPictureOptions options) {
  check_kernel(before);
  check_kernel(after);
  if (before.shape() != after.shape()) {
    throw Error(Code::InvalidArgument,
                fmt::format("kernels of shapes {} and {} side by side", before.shape().str(), after.shape().str()));
  }
  if (options.limit <= 0) options.limit = std::max(largest_drawn(before), largest_drawn(after));
  const Picture left = draw_filters(before, options), right = draw_filters(after, options);
  const int32_t gap = std::max(24, 3 * options.scale);
  Picture both(left.height, left.width + gap + right.width, 3);
  std::fill(both.pixels.begin(), both.pixels.end(), uint8_t{255});
  for (int32_t y = 0; y < left.height; ++y) {
    std::copy_n(left.at(y, 0), left.width * 3, both.at(y, 0));
    std::copy_n(right.at(y, 0), right.width * 3, both.at(y, left.width + gap));
  }
  return both;
}

}  // namespace vf::io
