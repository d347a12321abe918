#include "io/filter_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vf::io {
namespace {

using ::testing::ElementsAre;
using Color = std::vector<int>;

Color color(const Picture& picture, int y, int x) {
  const uint8_t* p = picture.at(y, x);
  return {p[0], p[1], p[2]};
}
const Color kWhite = {255, 255, 255}, kBlue = {33, 102, 172}, kRed = {178, 24, 43}, kYellow = {255, 221, 0};

// With tiles of 2 x 3 weights at scale 4 and lines of 2, weight (y, x) of tile (row, column) has its middle here.
Color weight_at(const Picture& p, int row, int column, int y, int x) {
  return color(p, 2 + row * (2 * 4 + 2) + y * 4 + 2, 2 + column * (3 * 4 + 2) + x * 4 + 2);
}

TEST(FilterPicture, ShowsSignInColour) {
  // [2, 3, 1, 2]: the output channel runs fastest.
  const Tensor kernel = Tensor::of<float>({2, 3, 1, 2}, {2, 0, -2, 1, 0, 0, 0, 0, 0, -1, NAN, 0});
  const Picture p = draw_filters(kernel, {.scale = 4});
  EXPECT_EQ(p.height, 2 * 4 + 2 * 2);
  EXPECT_EQ(p.width, 2 * (3 * 4 + 2) + 2);
  EXPECT_EQ(weight_at(p, 0, 0, 0, 0), kRed);
  EXPECT_EQ(weight_at(p, 0, 0, 0, 1), kBlue);
  EXPECT_EQ(weight_at(p, 0, 0, 0, 2), kWhite);
  EXPECT_EQ(weight_at(p, 0, 0, 1, 2), kYellow);
  // Half of the largest value, which stands in the other tile: one scale for the bank. Midway from white.
  EXPECT_EQ(weight_at(p, 0, 1, 0, 1), (Color{217, 140, 149}));
  EXPECT_EQ(weight_at(p, 0, 1, 1, 1), (Color{144, 179, 214}));
  EXPECT_EQ(color(p, 0, 5), color(p, 5, 2 + 12));  // lines around and between
  EXPECT_NE(color(p, 0, 5), kWhite);
}

TEST(FilterPicture, ShowsThreeChannelsAsRgb) {
  Tensor kernel = Tensor::zeros(DType::Float, {2, 3, 3, 1});
  kernel.data<float>()[0] = 4;   // red of the first weight
  kernel.data<float>()[1] = -4;  // green
  kernel.data<float>()[2] = 2;   // blue
  const Picture p = draw_filters(kernel, {.scale = 4});
  EXPECT_EQ(weight_at(p, 0, 0, 0, 0), (Color{255, 1, 192}));
  EXPECT_EQ(weight_at(p, 0, 0, 1, 1), (Color{128, 128, 128}));
}

TEST(FilterPicture, DrawsTheFirstChannelOfMany) {
  Tensor kernel = Tensor::zeros(DType::Double, {2, 3, 4, 1});
  kernel.data<double>()[0] = -1;
  kernel.data<double>()[1] = 100;  // the second channel neither shows nor counts
  EXPECT_EQ(weight_at(draw_filters(kernel, {.scale = 4}), 0, 0, 0, 0), kBlue);
}

TEST(FilterPicture, LaysTilesOutInRows) {
  Tensor kernel = Tensor::zeros(DType::Float, {2, 3, 1, 32});
  kernel.data<float>()[9] = 1;  // the second tile of the second row, of 8
  const Picture p = draw_filters(kernel, {.scale = 4});
  EXPECT_EQ(p.width, 8 * 14 + 2);
  EXPECT_EQ(p.height, 4 * 10 + 2);
  EXPECT_EQ(weight_at(p, 1, 1, 0, 0), kRed);
  EXPECT_EQ(weight_at(p, 0, 1, 0, 0), kWhite);
  EXPECT_EQ(draw_filters(kernel, {.scale = 4, .columns = 5}).width, 5 * 14 + 2);
}

TEST(FilterPicture, CompareOnOneScale) {
  const Tensor before = Tensor::of<float>({1, 1, 1, 1}, {1}), after = Tensor::of<float>({1, 1, 1, 1}, {-2});
  const Picture p = draw_filters_before_after(before, after, {.scale = 10});
  EXPECT_EQ(p.height, 14);
  EXPECT_EQ(p.width, 14 + 30 + 14);
  EXPECT_EQ(color(p, 7, 7), (Color{217, 140, 149}));
  EXPECT_EQ(color(p, 7, 14 + 15), kWhite);
  EXPECT_EQ(color(p, 7, 14 + 30 + 7), kBlue);
  EXPECT_THROW(draw_filters_before_after(before, Tensor::zeros(DType::Float, {1, 1, 1, 2})), Error);
}

TEST(FilterPicture, RefusesWhatIsNoKernel) {
  EXPECT_THROW(draw_filters(Tensor()), Error);
  EXPECT_THROW(draw_filters(Tensor::zeros(DType::Float, {3, 3, 1})), Error);
  EXPECT_THROW(draw_filters(Tensor::zeros(DType::Float, {3, 3, 1, 0})), Error);
  EXPECT_THROW(draw_filters(Tensor(DType::String, {1, 1, 1, 1})), Error);
  EXPECT_THROW(draw_filters(Tensor::zeros(DType::Float, {1, 1, 1, 1}), {.scale = 0}), Error);
  EXPECT_THROW(draw_filters(Tensor::zeros(DType::Float, {1, 1, 1, 1}), {.scale = INT32_MAX}), Error);
}

}  // namespace
}  // namespace vf::io
