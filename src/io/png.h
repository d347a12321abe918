#pragma once
// Pictures of 8 bits a channel, and PNG files of them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/error.h"

namespace vf::io {

// Rows from the top, pixels from the left, channels together: pixels[(y * width + x) * channels + c].
struct Picture {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 3;  // 1 gray, 3 RGB (sRGB)
  std::vector<uint8_t> pixels;

  Picture() = default;
  Picture(int32_t h, int32_t w, int32_t c);  // all 0
  uint8_t* at(int32_t y, int32_t x) { return &pixels[offset(y, x)]; }
  const uint8_t* at(int32_t y, int32_t x) const { return &pixels[offset(y, x)]; }

 private:
  size_t offset(int32_t y, int32_t x) const {
    return (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
           static_cast<size_t>(channels);
  }
};

// The bytes of a PNG file, without loss. InvalidArgument for an empty picture, other channels than 1 and 3, or a number
// of pixels that does not fit its sizes.
std::string encode_png(const Picture& picture);

struct PngHeader {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;  // 1 gray, 2 gray and alpha, 3 RGB or palette, 4 RGBA
};
// From the first 33 bytes; nullopt where they do not start a PNG file. The rest is not looked at.
std::optional<PngHeader> read_png_header(std::string_view png);

}  // namespace vf::io
