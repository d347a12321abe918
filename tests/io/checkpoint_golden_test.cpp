// Checkpoints that TensorFlow 2.21.0 wrote (tests/golden/make_checkpoints.py), with what it was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/support.h"
#include "varflow/arrays.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::golden;
using ::testing::HasSubstr;
using testing::same;

CheckpointReader open(const std::string& name) { return CheckpointReader(golden("checkpoints/" + name)); }

std::vector<std::string> names_of(const CheckpointReader& reader) {
  std::vector<std::string> names;
  for (const CheckpointEntry& entry : reader.entries()) names.push_back(entry.name);
  return names;
}

TEST(GoldenCheckpoint, ReadsEveryDtype) {
  const auto reader = open("mixed");
  EXPECT_THAT(names_of(reader),
              ElementsAre("bfloat16", "bool", "complex128", "complex64", "empty", "float16", "float32", "float64",
                          "int16", "int32", "int64", "int8", "scalar", "scope/with/slashes", "string_scalar", "strings",
                          "uint16", "uint32", "uint64", "uint8"));
  for (const CheckpointEntry& entry : reader.entries()) {
    std::string file = entry.name;
    std::replace(file.begin(), file.end(), '/', '.');
    const Tensor expected = read_npy(golden("checkpoints/mixed." + file + ".npy"));
    const Tensor read = reader.read(entry.name, "", entry.dtype);
    EXPECT_TRUE(same(read, expected)) << entry.name << ": " << read.str() << " is not " << expected.str();
    EXPECT_EQ(entry.dtype, expected.dtype());
    EXPECT_EQ(entry.shape, expected.shape());
    EXPECT_TRUE(entry.slices.empty());
  }
}

// Some of the values spelled out, so that a mistake that checkpoint and .npy reader share would show.
TEST(GoldenCheckpoint, ReadsTheValuesThatWereSaved) {
  const auto reader = open("mixed");
  const Tensor f = reader.read("float32");
  EXPECT_EQ(f.shape(), (Shape{2, 3}));
  EXPECT_THAT(std::vector<float>(f.data<float>(), f.data<float>() + 3), ElementsAre(1.5F, -2.25F, 3e38F));
  EXPECT_EQ(reader.read("scalar").item<double>(), 42.5);
  EXPECT_EQ(reader.read("int64").values<int64_t>()[0], INT64_MIN);
  EXPECT_EQ(reader.read("uint64").values<uint64_t>()[0], UINT64_MAX);
  EXPECT_EQ(static_cast<float>(reader.read("bfloat16").values<BFloat16>()[5]), 26.0F);
  EXPECT_EQ(static_cast<float>(reader.read("float16").values<Half>()[5]), 26.0F);
  EXPECT_EQ(reader.read("string_scalar").item<std::string>(), "one");
  EXPECT_EQ(reader.read("strings").values<std::string>()[1], std::string("a\0b", 3));
  EXPECT_EQ(reader.read("strings").values<std::string>()[3], std::string(200, 'x'));
  EXPECT_EQ(reader.read("empty").shape(), (Shape{0, 4}));
  EXPECT_EQ(reader.read("bool").values<bool>()[1], false);
}

TEST(GoldenCheckpoint, CutsSlicesFromWholeTensors) {
  const auto reader = open("mixed");
  EXPECT_TRUE(same(reader.read("int32", "2 3 1,1:1,2"), Tensor::of<int32_t>({1, 2}, {21, 26})));
  EXPECT_TRUE(same(reader.read("int32", "2 3 -:2,1"), Tensor::of<int32_t>({2, 1}, {11, 26})));
  EXPECT_TRUE(same(reader.read("strings", "2 2 0,1:0,2"),
                   Tensor::of<std::string>({1, 2}, {std::string(), std::string("a\0b", 3)})));
  const Error other_shape = error_of([&] { reader.read("int32", "2 4 -:-"); });
  EXPECT_EQ(other_shape.code(), Code::InvalidArgument);
  EXPECT_STREQ(other_shape.what(),
               "tensor_name = int32; shape in shape_and_slice spec [2,4] does not match the shape stored in "
               "checkpoint: [2,3]");
  EXPECT_EQ(error_of([&] { reader.read("int32", "2 3 0,3:-"); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { reader.read("int32", "2 3"); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { reader.read("int32", "2 x -:-"); }).code(), Code::InvalidArgument);
}

TEST(GoldenCheckpoint, ReassemblesPartitionedVariables) {
  const auto reader = open("partitioned");
  EXPECT_THAT(names_of(reader), ElementsAre("p", "plain"));
  EXPECT_EQ(reader.entry("p").shape, (Shape{5, 2}));
  EXPECT_THAT(reader.entry("p").slices, ElementsAre("0,3:0,2", "3,2:0,2"));
  EXPECT_TRUE(same(reader.read("p"), Tensor::of<float>({5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})));
  EXPECT_TRUE(same(reader.read("p", "5 2 2,2:-"), Tensor::of<float>({2, 2}, {4, 5, 6, 7})));
  EXPECT_TRUE(same(reader.read("p", "5 2 3,2:1,1"), Tensor::of<float>({2, 1}, {7, 9})));
}

TEST(GoldenCheckpoint, ReassemblesPartsInTwoDimensions) {
  const auto reader = open("grid");
  Tensor grid(DType::Int32, {100, 3});
  for (int i = 0; i < 300; ++i) grid.data<int32_t>()[i] = i;
  EXPECT_TRUE(same(reader.read("grid"), grid));
  EXPECT_TRUE(same(reader.read("grid", "100 3 69,2:1,2"), Tensor::of<int32_t>({2, 2}, {208, 209, 211, 212})));
  EXPECT_TRUE(same(reader.read("s"), Tensor::vector<std::string>({"a", "bb", "ccc"})));
  EXPECT_THAT(reader.entry("dash").slices, ElementsAre("-:0,1", "-:1,2"));
  EXPECT_TRUE(same(reader.read("dash"), Tensor::of<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5})));
}

TEST(GoldenCheckpoint, SaysWhichSlicesAreMissing) {
  const auto reader = open("incomplete");
  const Error e = error_of([&] { reader.read("p"); });
  EXPECT_EQ(e.code(), Code::InvalidArgument);
  EXPECT_THAT(e.what(),
              HasSubstr("Does not have sufficient slices for partitioned tensor p to restore in slice_spec: -"));
  EXPECT_EQ(reader.read("p", "100 3 0,70:-").values<int32_t>()[209], 209);
}

TEST(GoldenCheckpoint, ReadsShards) {
  const auto reader = open("sharded");
  EXPECT_TRUE(same(reader.read("a"), Tensor::vector<float>({1, 2})));
  EXPECT_TRUE(same(reader.read("b"), Tensor::vector<std::string>({"x", "yy"})));
  EXPECT_TRUE(same(reader.read("p"), Tensor::of<int32_t>({2, 2}, {1, 2, 3, 4})));
}

// Nothing computes with quantized numbers, but their bytes are read: 0 and 1 in [0, 1] are the ends of the range.
TEST(GoldenCheckpoint, ReadsQuantizedBytes) {
  const auto reader = open("quantized");
  EXPECT_EQ(reader.read("a").values<float>()[1], 2.0F);
  const Tensor q = reader.read("q");
  ASSERT_EQ(q.dtype(), DType::QInt8);
  EXPECT_EQ(static_cast<const int8_t*>(q.raw())[0], -128);
  EXPECT_EQ(static_cast<const int8_t*>(q.raw())[1], 127);
}

TEST(GoldenCheckpoint, SpeaksAsTensorFlowDoes) {
  const auto reader = open("mixed");
  EXPECT_THAT(error_of([&] { reader.read("zz"); }).what(), HasSubstr("Key zz not found in checkpoint"));
  EXPECT_EQ(error_of([&] { reader.read("zz"); }).code(), Code::NotFound);
  const Error dtype = error_of([&] { reader.read("int32", "", DType::Float); });
  EXPECT_EQ(dtype.code(), Code::InvalidArgument);
  EXPECT_STREQ(dtype.what(), "tensor_name = int32; expected dtype float does not equal original dtype int32");
  const Error missing = error_of([&] { open("none"); });
  EXPECT_EQ(missing.code(), Code::NotFound);
  EXPECT_THAT(missing.what(),
              HasSubstr("Unsuccessful TensorSliceReader constructor: Failed to find any matching files for"));
  // A file of the bare name is a checkpoint of format V1.
  EXPECT_EQ(error_of([&] { CheckpointReader(golden("checkpoints/mixed.index")); }).code(), Code::Unimplemented);
}

}  // namespace
}  // namespace vf
