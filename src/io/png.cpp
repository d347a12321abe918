#include "io/png.h"

#include <fmt/format.h>
#include <png.h>

namespace vf::io {

Picture::Picture(int32_t h, int32_t w, int32_t c) : height(h), width(w), channels(c) {
  if (h < 0 || w < 0 || c < 1) throw Error(Code::InvalidArgument, fmt::format("a picture of {} x {} x {}", h, w, c));
  pixels.resize(static_cast<size_t>(h) * static_cast<size_t>(w) * static_cast<size_t>(c));
}

std::string encode_png(const Picture& picture) {
  const auto count =
      static_cast<size_t>(picture.height) * static_cast<size_t>(picture.width) * static_cast<size_t>(picture.channels);
  if (picture.height < 1 || picture.width < 1 || (picture.channels != 1 && picture.channels != 3) ||
      picture.pixels.size() != count) {
    throw Error(Code::InvalidArgument, fmt::format("no PNG of {} x {} x {} with {} values", picture.height,
                                                   picture.width, picture.channels, picture.pixels.size()));
  }
  // libpng's simplified interface keeps its longjmp to itself and reports in the struct.
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(picture.height);
  image.width = static_cast<png_uint_32>(picture.width);
  image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  const bool good = png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) != 0;
  png_image_free(&image);
  if (!good) throw Error(Code::Internal, std::string("no PNG: ") + image.message);
  bytes.resize(size);
  return bytes;
}

std::optional<PngHeader> read_png_header(std::string_view png) {
  constexpr std::string_view kStart("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  constexpr size_t kHeaderEnd = 33;  // signature, and length, type, 13 bytes and CRC of the first chunk
  if (png.size() < kHeaderEnd || png.substr(0, kStart.size()) != kStart) return std::nullopt;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(png[i]); };
  const auto big_endian = [&](size_t i) {
    return static_cast<uint32_t>(byte(i)) << 24 | static_cast<uint32_t>(byte(i + 1)) << 16 |
           static_cast<uint32_t>(byte(i + 2)) << 8 | byte(i + 3);
  };
  const uint32_t width = big_endian(16), height = big_endian(20);
  if (width < 1 || height < 1 || width > INT32_MAX || height > INT32_MAX) return std::nullopt;
  PngHeader header{static_cast<int32_t>(height), static_cast<int32_t>(width), 0};
  switch (byte(25)) {
    case 0: header.channels = 1; break;
    case 4: header.channels = 2; break;
    case 2:
    case 3: header.channels = 3; break;
    case 6: header.channels = 4; break;
    default: return std::nullopt;
  }
  return header;
}

}  // namespace vf::io
