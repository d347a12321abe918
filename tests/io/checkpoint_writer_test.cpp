#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault_env.h"
#include "io/bundle_index.h"
#include "io/support.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::FaultEnv;
using testing::golden;
using ::testing::HasSubstr;
using testing::same;
using ::testing::StartsWith;
using testing::TempFolder;

const std::vector<DType> kDtypes = {DType::Float,    DType::Double,     DType::Int32,  DType::UInt8,
                                    DType::Int16,    DType::Int8,       DType::String, DType::Complex64,
                                    DType::Int64,    DType::Bool,       DType::Half,   DType::UInt16,
                                    DType::BFloat16, DType::Complex128, DType::UInt32, DType::UInt64};

Tensor filled(DType dtype, const Shape& shape, uint32_t seed) {
  Tensor t(dtype, shape);
  if (dtype == DType::String) {
    for (int64_t i = 0; i < t.num_elements(); ++i)
      t.data<std::string>()[i] = std::string(static_cast<size_t>(seed + i) % 300, static_cast<char>(i));
    return t;
  }
  auto* bytes = static_cast<uint8_t*>(t.raw());
  for (size_t i = 0; i < t.bytes(); ++i) {
    seed = seed * 1664525 + 1013904223;
    bytes[i] = static_cast<uint8_t>(dtype == DType::Bool ? seed >> 31 : seed >> 24);
  }
  return t;
}

TEST(CheckpointWriter, WritesWhatTheReaderReads) {
  TempFolder folder;
  CheckpointWriter writer(folder / "m");
  std::vector<std::pair<std::string, Tensor>> all;
  for (const DType dtype : kDtypes)
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}, Shape{2, 3, 4}, Shape{5, 0, 2}, Shape{401, 211}})
      all.emplace_back(std::string(dtype_name(dtype)) + shape.str(), filled(dtype, shape, 7 + all.size()));
  for (const auto& [name, tensor] : all) writer.add(name, tensor);
  writer.finish();
  const CheckpointReader reader(folder / "m");
  EXPECT_EQ(reader.entries().size(), all.size());
  for (const auto& [name, tensor] : all) EXPECT_TRUE(same(reader.read(name), tensor)) << name;
  EXPECT_THAT(Env::system().list(folder.path()), ElementsAre("m.data-00000-of-00001", "m.index"));
}

// Byte for byte what TensorFlow made of the same tensors.
TEST(CheckpointWriter, WritesTheBytesOfTensorFlow) {
  TempFolder folder;
  const CheckpointReader reader(golden("checkpoints/grid"));
  CheckpointWriter writer(folder / "grid");
  const std::vector<std::pair<std::string, std::string>> parts = {{"grid", "100 3 0,70:0,2"},
                                                                  {"grid", "100 3 70,30:0,2"},
                                                                  {"grid", "100 3 0,70:2,1"},
                                                                  {"grid", "100 3 70,30:2,1"},
                                                                  {"s", "3 0,1"},
                                                                  {"s", "3 1,2"},
                                                                  {"dash", "2 3 -:0,1"},
                                                                  {"dash", "2 3 -:1,2"}};
  for (const auto& [name, spec] : parts) writer.add(name, reader.read(name, spec), spec);
  writer.finish();
  for (const std::string suffix : {".index", ".data-00000-of-00001"})
    EXPECT_TRUE(read_file(Env::system(), folder / ("grid" + suffix)) ==
                read_file(Env::system(), golden("checkpoints/grid" + suffix)))
        << suffix;
}

TEST(CheckpointWriter, CopiesBytesItCannotRead) {
  TempFolder folder;
  for (const std::string name : {"mixed", "grid", "quantized", "sharded"}) {
    const CheckpointReader from(golden("checkpoints/" + name));
    CheckpointWriter writer(folder / name);
    for (const CheckpointEntry& entry : from.entries()) writer.copy(from, entry.name);
    writer.finish();
    const CheckpointReader to(folder / name);
    ASSERT_EQ(to.entries().size(), from.entries().size());
    for (const CheckpointEntry& entry : from.entries()) {
      EXPECT_EQ(to.entry(entry.name).slices, entry.slices);
      if (entry.dtype != DType::Invalid) {
        EXPECT_TRUE(same(to.read(entry.name), from.read(entry.name))) << entry.name;
      }
    }
  }
  EXPECT_EQ(read_file(Env::system(), folder / "quantized.data-00000-of-00001"),
            read_file(Env::system(), golden("checkpoints/quantized.data-00000-of-00001")));
}

TEST(CheckpointWriter, RefusesWhatDoesNotFit) {
  TempFolder folder;
  CheckpointWriter writer(folder / "m");
  const Tensor two = Tensor::vector<float>({1, 2});
  writer.add("a", two);
  EXPECT_STREQ(error_of([&] { writer.add("a", two); }).what(), "Adding duplicate key: a");
  EXPECT_STREQ(error_of([&] { writer.add("a", two, "4 0,2"); }).what(), "Adding duplicate key: a");
  writer.add("p", two, "4 0,2");
  EXPECT_STREQ(error_of([&] { writer.add("p", two, "4 0,2"); }).what(), "Adding duplicate key: p");
  EXPECT_STREQ(error_of([&] { writer.add("p", two, "5 2,2"); }).what(), "Adding duplicate key: p");
  EXPECT_STREQ(error_of([&] { writer.add("p", two); }).what(), "Adding duplicate key: p");
  EXPECT_STREQ(error_of([&] {
                 writer.add("q", Tensor::vector<float>({1, 2, 3}), "4 0,2");
               }).what(),
               "Slice in shape_and_slice specification does not match the shape of the tensor to  save: 4 0,2, "
               "tensor: [3]");
  EXPECT_EQ(error_of([&] { writer.add("r", Tensor(DType::Resource, {})); }).code(), Code::Unimplemented);
  EXPECT_EQ(error_of([&] { writer.add("", two); }).code(), Code::InvalidArgument);
  writer.add("p", two, "4 2,2");
  writer.add("whole", two, "2 -");  // a slice that is all of it is no slice
  writer.finish();
  EXPECT_EQ(error_of([&] { writer.add("b", two); }).code(), Code::FailedPrecondition);
  EXPECT_EQ(error_of([&] { writer.finish(); }).code(), Code::FailedPrecondition);
  const CheckpointReader reader(folder / "m");
  EXPECT_TRUE(same(reader.read("p"), Tensor::vector<float>({1, 2, 1, 2})));
  EXPECT_TRUE(reader.entry("whole").slices.empty());
  EXPECT_EQ(reader.entries().size(), 3U);
}

TEST(CheckpointWriter, MakesOneFolderOnly) {
  TempFolder folder;
  CheckpointWriter(folder / "new/m").finish();
  EXPECT_TRUE(CheckpointReader(folder / "new/m").entries().empty());
  const Error e = error_of([&] { CheckpointWriter(folder / "a/b/m"); });
  EXPECT_EQ(e.code(), Code::NotFound);
  EXPECT_EQ(std::string(e.what()), folder / "a/b" + "; No such file or directory");
}

void save_number(Env& env, const std::string& prefix, float number) {
  CheckpointWriter writer(env, prefix);
  writer.add("a", Tensor::vector<float>({number, number}));
  writer.finish();
}

TEST(CheckpointWriter, WritesTheIndexLast) {
  TempFolder folder;
  FaultEnv env;
  save_number(env, folder / "m", 1);
  const auto& log = env.log();
  std::vector<std::string> durable;
  for (const std::string& call : log)
    if (call.starts_with("sync ") || call.starts_with("rename")) durable.push_back(call);
  ASSERT_EQ(durable.size(), 4U);
  EXPECT_THAT(durable[0], StartsWith("sync m.index.tempstate"));
  EXPECT_THAT(durable[1], StartsWith("sync m.data-00000-of-00001.tempstate"));
  EXPECT_THAT(durable[2], HasSubstr(" m.data-00000-of-00001"));
  EXPECT_THAT(durable[3], HasSubstr(" m.index"));
  EXPECT_THAT(log.back(), StartsWith("sync_folder"));
}

// Whatever call fails: no litter, and either the old checkpoint, or the new one, or (between the two renames) a
// checksum that says so; never a mixture.
TEST(CheckpointWriter, NeverLeavesAMixture) {
  FaultEnv counting;
  {
    TempFolder folder;
    save_number(Env::system(), folder / "m", 1);
    save_number(counting, folder / "m", 2);
  }
  int old_ones = 0;
  int new_ones = 0;
  int between = 0;
  for (const bool crash : {false, true}) {
    for (int64_t call = 0; call < counting.calls(); ++call) {
      TempFolder folder;
      save_number(Env::system(), folder / "m", 1);
      FaultEnv env;
      crash ? env.crash_at(call) : env.fail_at(call, ENOSPC);
      EXPECT_THROW(save_number(env, folder / "m", 2), Error) << call;
      if (!crash) {
        EXPECT_EQ(Env::system().list(folder.path()).size(), 2U) << call;
      }
      const CheckpointReader reader(folder / "m");
      try {
        const float number = reader.read("a").values<float>()[1];
        EXPECT_TRUE(number == 1 || number == 2);
        number == 1 ? ++old_ones : ++new_ones;
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::DataLoss);
        ++between;
      }
    }
  }
  EXPECT_GT(old_ones, 0);
  EXPECT_GT(new_ones, 0);
  EXPECT_LE(between, 4);
}

TEST(CheckpointWriter, DoesNotFinishAfterAFailedWrite) {
  TempFolder folder;
  FaultEnv env;
  CheckpointWriter writer(env, folder / "m");
  env.fail_at(env.calls(), ENOSPC);
  const Tensor large(DType::Float, {1 << 20});
  EXPECT_EQ(error_of([&] { writer.add("a", large); }).code(), Code::ResourceExhausted);
  EXPECT_EQ(error_of([&] { writer.finish(); }).code(), Code::FailedPrecondition);
  EXPECT_FALSE(Env::system().exists(folder / "m.index"));
}

TEST(CheckpointMerge, MakesOneOfShards) {
  TempFolder folder;
  for (int i = 0; i < 2; ++i) {
    CheckpointWriter writer(folder / ("m_temp/part-" + std::to_string(i)));
    writer.add("v" + std::to_string(i), Tensor::vector<float>({float(i)}));
    writer.add("p", Tensor::vector<int32_t>({i, i}), "4 " + std::to_string(2 * i) + ",2");
    writer.finish();
  }
  merge_checkpoints(Env::system(), {folder / "m_temp/part-0", folder / "m_temp/part-1"}, folder / "m");
  EXPECT_THAT(Env::system().list(folder.path()),
              ElementsAre("m.data-00000-of-00002", "m.data-00001-of-00002", "m.index"));
  const CheckpointReader reader(folder / "m");
  EXPECT_EQ(reader.read("v1").item<float>(), 1.0F);
  EXPECT_TRUE(same(reader.read("p"), Tensor::vector<int32_t>({0, 0, 1, 1})));
}

TEST(CheckpointMerge, RefusesDuplicatesBeforeItMovesAnything) {
  TempFolder folder;
  save_number(Env::system(), folder / "a", 1);
  save_number(Env::system(), folder / "b", 2);
  const Error e = error_of([&] { merge_checkpoints(Env::system(), {folder / "a", folder / "b"}, folder / "m"); });
  EXPECT_EQ(e.code(), Code::InvalidArgument);
  EXPECT_STREQ(e.what(), "Adding duplicate key: a");
  EXPECT_EQ(CheckpointReader(folder / "b").read("a").values<float>()[0], 2.0F);
}

// The bytes of each number reversed, checksum of the bytes as they lie there.
TEST(CheckpointReader, SwapsBytesOfBigEndianFiles) {
  TempFolder folder;
  CheckpointWriter writer(folder / "m");
  writer.add("i", Tensor::vector<int32_t>({0x04030201, 0x14131211}));
  const float complex_bytes[2] = {1.0F, -2.0F};
  Tensor c(DType::Complex64, {});
  std::memcpy(c.raw(), complex_bytes, 8);
  auto* raw = static_cast<uint8_t*>(c.raw());
  std::reverse(raw, raw + 4);
  std::reverse(raw + 4, raw + 8);
  writer.add("c", c);
  writer.finish();
  io::BundleIndex index = io::read_bundle_index(Env::system(), folder / "m");
  index.header.big_endian = true;
  AtomicFile file(Env::system(), folder / "m.index");
  io::write_bundle_index(index, &file);
  file.commit();
  const CheckpointReader reader(folder / "m");
  EXPECT_TRUE(same(reader.read("i"), Tensor::vector<int32_t>({0x01020304, 0x11121314})));
  EXPECT_EQ(std::memcmp(reader.read("c").raw(), complex_bytes, 8), 0);
  CheckpointWriter copy(folder / "copy");
  copy.copy(reader, "i");
  copy.finish();
  EXPECT_TRUE(same(CheckpointReader(folder / "copy").read("i"), reader.read("i")));
}

}  // namespace
}  // namespace vf
