#include "io/png.h"

#include <gtest/gtest.h>
#include <png.h>

#include <random>

namespace vf::io {
namespace {

// By libpng's own reader.
std::vector<uint8_t> decode(const std::string& bytes, int channels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) throw std::runtime_error(image.message);
  EXPECT_EQ(image.format, channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  if (!png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) throw std::runtime_error(image.message);
  return pixels;
}

TEST(Png, DecodesToThePixels) {
  std::mt19937 random(1);
  for (const int channels : {1, 3}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {3, 2}, {17, 31}, {1, 1000}, {200, 300}}) {
      Picture picture(height, width, channels);
      for (auto& p : picture.pixels) p = static_cast<uint8_t>(random());  // nothing to compress: the largest file
      const std::string bytes = encode_png(picture);
      EXPECT_EQ(decode(bytes, channels), picture.pixels) << height << " x " << width << " x " << channels;
      const auto header = read_png_header(bytes);
      ASSERT_TRUE(header);
      EXPECT_EQ(header->height, height);
      EXPECT_EQ(header->width, width);
      EXPECT_EQ(header->channels, channels);
    }
  }
}

TEST(Png, RefusesWhatIsNoPicture) {
  EXPECT_THROW(encode_png(Picture()), Error);
  EXPECT_THROW(encode_png(Picture(0, 3, 1)), Error);
  EXPECT_THROW(encode_png(Picture(2, 2, 2)), Error);
  EXPECT_THROW(Picture(-1, 2, 3), Error);
  Picture picture(2, 2, 3);
  picture.pixels.pop_back();
  EXPECT_THROW(encode_png(picture), Error);
}

TEST(Png, HeaderOfWhatIsNoPng) {
  const std::string good = encode_png(Picture(2, 3, 3));
  EXPECT_TRUE(read_png_header(good.substr(0, 33)));
  EXPECT_FALSE(read_png_header(good.substr(0, 32)));
  EXPECT_FALSE(read_png_header(""));
  for (size_t i = 0; i < 16; ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(read_png_header(bad)) << i;
  }
  std::string negative = good;
  negative[16] = '\x80';
  EXPECT_FALSE(read_png_header(negative));
}

}  // namespace
}  // namespace vf::io
