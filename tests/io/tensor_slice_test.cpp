#include "io/tensor_slice.h"

#include <gtest/gtest.h>

#include <random>

#include "varflow/error.h"

namespace vf::io {
namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  char two[3];
  for (const char c : bytes) {
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
    text += two;
  }
  return text;
}

// Keys that TensorFlow wrote (tests/golden/checkpoints/grid.index, partitioned.index), and its number coding.
TEST(TensorSlice, KeysAreTensorFlows) {
  EXPECT_EQ(hex(slice_key("pp", {{0, 50}, {0, 2}})),
            "0070700001"
            "0102"
            "80b2"
            "8082");
  EXPECT_EQ(hex(slice_key("a", {{}})),
            "00610001"
            "0101"
            "807f");
  EXPECT_EQ(hex(slice_key("a", {})),
            "00610001"
            "00");
  EXPECT_EQ(hex(slice_key(std::string("\0\xff", 2), {})),
            "00"
            "00ff"
            "ff00"
            "0001"
            "00");
  EXPECT_EQ(hex(slice_key("", {{63, 64}, {8192, int64_t{1} << 55}})),
            "000001"
            "0102"
            "bf"
            "c040"
            "e02000"
            "ff8080000000000000");
}

TEST(TensorSlice, KeysSortAsNumbersDo) {
  const int64_t numbers[] = {0,         1,        63,        64,        8191,      8192,      1048575,
                             1048576,   1 << 27,  1LL << 34, 1LL << 41, 1LL << 48, 1LL << 55, (1LL << 62) - 1,
                             1LL << 62, INT64_MAX};
  for (size_t i = 1; i < std::size(numbers); ++i)
    EXPECT_LT(slice_key("a", {{numbers[i - 1], 1}}), slice_key("a", {{numbers[i], 1}})) << numbers[i];
}

TEST(TensorSlice, ParsesSpecifications) {
  EXPECT_TRUE(parse_shape_and_slice("").whole);
  const auto spec = parse_shape_and_slice("5 2 0,3:-");
  EXPECT_EQ(spec.shape, (Shape{5, 2}));
  EXPECT_EQ(spec.slice, (TensorSlice{{0, 3}, {}}));
  EXPECT_EQ(slice_str(spec.slice), "0,3:-");
  EXPECT_EQ(shape_of(resolve(spec.slice, spec.shape)), (Shape{3, 2}));
  for (const std::string bad : {"5", "5 2", "5 2 0,3", "5 2 0,6:-", "5 2 6,0:-", "5 2 -1,2:-", "5 2 0,3:-:-", "a 2 -:-",
                                "5 2 0,3,1:-", "5  -", "99999999999999999999 -", " ", "5 9223372036854775807,1"})
    EXPECT_THROW(parse_shape_and_slice(bad), Error) << bad;
}

TEST(TensorSlice, KnowsWhatTiles) {
  const TensorSlice whole = {{0, 4}, {0, 4}};
  EXPECT_TRUE(tiles_exactly(whole, {whole}));
  EXPECT_TRUE(tiles_exactly(whole, {{{0, 4}, {0, 1}}, {{0, 2}, {1, 3}}, {{2, 2}, {1, 3}}}));
  EXPECT_FALSE(tiles_exactly(whole, {}));
  EXPECT_FALSE(tiles_exactly(whole, {whole, whole}));
  EXPECT_FALSE(tiles_exactly(whole, {{{0, 4}, {0, 3}}}));
  // As many elements as the whole has: two of them twice, two missing.
  EXPECT_FALSE(tiles_exactly(whole, {{{0, 2}, {0, 4}}, {{1, 2}, {0, 4}}}));
  EXPECT_TRUE(tiles_exactly({}, {{}}));
  EXPECT_FALSE(tiles_exactly({}, {}));
  EXPECT_TRUE(tiles_exactly({{0, 0}, {0, 3}}, {}));
}

// Against counting every element, over random boxes.
TEST(TensorSlice, TilesAsCountingSays) {
  std::mt19937 random(1);
  int tilings = 0;
  for (int round = 0; round < 20000; ++round) {
    const TensorSlice whole = {{0, 2}, {0, 3}};
    std::vector<TensorSlice> parts;
    int count[2][3] = {};
    for (int p = static_cast<int>(random() % 4); p >= 0; --p) {
      TensorSlice box;
      for (const int64_t size : {2, 3}) {
        const auto start = static_cast<int64_t>(random() % static_cast<uint64_t>(size));
        box.push_back({start, static_cast<int64_t>(random() % static_cast<uint64_t>(size - start)) + 1});
      }
      for (int64_t i = box[0].start; i < box[0].start + box[0].length; ++i)
        for (int64_t j = box[1].start; j < box[1].start + box[1].length; ++j) ++count[i][j];
      parts.push_back(box);
    }
    bool once = true;
    for (const auto& row : count)
      for (const int n : row) once &= n == 1;
    tilings += once;
    EXPECT_EQ(tiles_exactly(whole, parts), once);
  }
  EXPECT_GT(tilings, 100);
}

TEST(TensorSlice, CopiesBoxesOfAnyRank) {
  Tensor full(DType::Int32, {3, 4, 5});
  for (int i = 0; i < 60; ++i) full.data<int32_t>()[i] = i;
  const TensorSlice all = {{0, 3}, {0, 4}, {0, 5}};
  const TensorSlice wanted = {{1, 2}, {0, 3}, {2, 2}};
  Tensor part(DType::Int32, {2, 3, 2});
  copy_box(wanted, full, all, &part, wanted);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) EXPECT_EQ(part.data<int32_t>()[(i * 3 + j) * 2 + k], ((i + 1) * 4 + j) * 5 + k + 2);
  Tensor scalar(DType::String, {});
  copy_box({}, Tensor("x"), {}, &scalar, {});
  EXPECT_EQ(scalar.item<std::string>(), "x");
}

}  // namespace
}  // namespace vf::io
