// Files that are damaged or made to do harm: an Error or the right data, never a crash, never memory beyond the file's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/atomic_file.h"
#include "base/memory_env.h"
#include "io/bundle_index.h"
#include "io/support.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using io::BundleIndex;
using io::proto::BundleEntry;
using testing::error_of;
using testing::golden;
using ::testing::HasSubstr;
using testing::MemoryEnv;
using testing::same;

const std::vector<std::string> kSuffixes = {".index", ".data-00000-of-00001"};

// Reads everything; where that works it must be what the golden checkpoint holds.
void expect_error_or_same(Env& env, const std::map<std::string, Tensor>& expected, const std::string& what,
                          int* errors) {
  try {
    const CheckpointReader reader(env, "m");
    std::map<std::string, Tensor> read;
    for (const CheckpointEntry& entry : reader.entries()) read[entry.name] = reader.read(entry.name);
    ASSERT_EQ(read.size(), expected.size()) << what;
    for (const auto& [name, tensor] : expected) ASSERT_TRUE(read.contains(name) && same(read[name], tensor)) << what;
  } catch (const Error& e) {
    ++*errors;
    ASSERT_NE(e.code(), Code::ResourceExhausted) << what << ": " << e.what();
  }
}

class Damage : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const CheckpointReader reader(golden("checkpoints/" + GetParam()));
    for (const CheckpointEntry& entry : reader.entries()) expected_[entry.name] = reader.read(entry.name);
    for (const std::string& suffix : kSuffixes)
      files_[suffix] = read_file(Env::system(), golden("checkpoints/" + GetParam() + suffix));
  }
  // Calls change(bytes, i) for each file and each i below its size, and reads the result.
  void try_all(const std::function<void(std::string*, size_t)>& change, int* tried, int* errors) {
    for (const std::string& suffix : kSuffixes) {
      MemoryEnv env;
      for (const std::string& other : kSuffixes) env.files["m" + other] = files_[other];
      for (size_t i = 0; i < files_[suffix].size(); ++i) {
        std::string bytes = files_[suffix];
        change(&bytes, i);
        env.files["m" + suffix] = bytes;
        expect_error_or_same(env, expected_, suffix + " at " + std::to_string(i), errors);
        ++*tried;
        if (HasFatalFailure()) return;
      }
    }
  }

  std::map<std::string, Tensor> expected_;
  std::map<std::string, std::string> files_;
};

TEST_P(Damage, EveryByteFlipped) {
  for (const int mask : {0xff, 0x01, 0x80}) {
    int tried = 0;
    int errors = 0;
    try_all([&](std::string* bytes, size_t i) { (*bytes)[i] = static_cast<char>((*bytes)[i] ^ mask); }, &tried,
            &errors);
    // What nobody reads: the footer's padding, and the place and contents of the empty metaindex block.
    EXPECT_LT(tried - errors, 64);
  }
}

TEST_P(Damage, EveryTruncation) {
  int tried = 0;
  int errors = 0;
  try_all([](std::string* bytes, size_t i) { bytes->resize(i); }, &tried, &errors);
  EXPECT_EQ(errors, tried);
}

INSTANTIATE_TEST_SUITE_P(Golden, Damage, ::testing::Values("mixed", "grid"),
                         [](const auto& test) { return test.param; });

// Entries whose index is whole, with all checksums right, and whose contents are a lie.
class HostileEntry : public ::testing::Test {
 protected:
  HostileEntry() {
    CheckpointWriter writer(env_, "m");
    writer.add("a", Tensor::vector<float>({1, 2}));
    writer.add("s", Tensor::vector<std::string>({"x", "yy"}));
    writer.finish();
  }
  Error error_with(const std::string& key, const std::function<void(BundleEntry*)>& change) {
    BundleIndex index = io::read_bundle_index(env_, "m");
    change(&index.entries[key]);
    AtomicFile file(env_, "m.index");
    io::write_bundle_index(index, &file);
    file.commit();
    return error_of([&] { CheckpointReader(env_, "m").read(key); });
  }
  MemoryEnv env_;
};

TEST_F(HostileEntry, SizesAreCheckedBeforeMemoryIsAsked) {
  const Error size = error_with("a", [](BundleEntry* e) { e->size = 4; });
  EXPECT_EQ(size.code(), Code::DataLoss);
  EXPECT_THAT(size.what(), HasSubstr("Invalid size in bundle entry: key a; stored size 4; expected size 8"));
  const Error large = error_with("a", [](BundleEntry* e) {
    e->shape.dims = {int64_t{1} << 40};
    e->size = int64_t{1} << 42;
  });
  EXPECT_EQ(large.code(), Code::OutOfRange);
  EXPECT_THAT(large.what(), HasSubstr("Read less bytes than requested"));
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->shape.dims = {int64_t{1} << 61, 4}; }).code(), Code::DataLoss);
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->shape.dims = {int64_t{1} << 62}; }).code(), Code::DataLoss);
}

TEST_F(HostileEntry, ManyStringsAreNotBelieved) {
  EXPECT_EQ(error_with("s", [](BundleEntry* e) { e->shape.dims = {int64_t{1} << 40}; }).code(), Code::DataLoss);
}

TEST_F(HostileEntry, OffsetsStayInTheFile) {
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->offset = INT64_MAX; }).code(), Code::OutOfRange);
}

TEST_F(HostileEntry, NegativeOffsetsAndSizes) {
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->offset = -8; }).code(), Code::DataLoss);
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->size = -8; }).code(), Code::DataLoss);
}

TEST_F(HostileEntry, ShardsAreCounted) {
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->shard = 1; }).code(), Code::DataLoss);
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->shard = -1; }).code(), Code::DataLoss);
}

TEST_F(HostileEntry, ADtypeOfOtherMeaningIsNotRead) {
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->dtype = 99; }).code(), Code::Unimplemented);
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->dtype = 21; }).code(), Code::Unimplemented);
  EXPECT_EQ(error_with("a", [](BundleEntry* e) { e->dtype = 7; }).code(), Code::DataLoss);
  EXPECT_EQ(error_with("s", [](BundleEntry* e) { e->dtype = 6; }).code(), Code::DataLoss);
}

// In C++ a bool that is neither 0 nor 1 may be anything.
TEST_F(HostileEntry, BoolsAreZeroOrOne) {
  {
    CheckpointWriter writer(env_, "m");
    writer.add("b", Tensor::vector<uint8_t>({2, 0, 255}));
    writer.finish();
  }
  BundleIndex index = io::read_bundle_index(env_, "m");
  index.entries["b"].dtype = static_cast<int32_t>(DType::Bool);
  AtomicFile file(env_, "m.index");
  io::write_bundle_index(index, &file);
  file.commit();
  EXPECT_TRUE(same(CheckpointReader(env_, "m").read("b"), Tensor::vector<bool>({true, false, true})));
}

TEST_F(HostileEntry, AChecksumNamesFileAndOffset) {
  const Error e = error_with("s", [](BundleEntry* entry) { entry->crc32c ^= 1; });
  EXPECT_EQ(e.code(), Code::DataLoss);
  EXPECT_THAT(e.what(), HasSubstr("shard 0 (9 bytes): Checksum does not match: stored "));
  EXPECT_THAT(e.what(), HasSubstr("key s, file m.data-00000-of-00001, offset 8"));
}

TEST_F(HostileEntry, NegativeDimensions) {
  BundleIndex index = io::read_bundle_index(env_, "m");
  AtomicFile file(env_, "m.index");
  index.entries["a"].shape.dims = {-1};
  io::write_bundle_index(index, &file);
  file.commit();
  const Error e = error_of([&] { CheckpointReader(env_, "m"); });
  EXPECT_EQ(e.code(), Code::DataLoss);
  EXPECT_THAT(e.what(), HasSubstr("Invalid tensor shape: a dim { size: -1 }"));
}

// 1,000 parts of 1 MB, all of them the same bytes of the file.
TEST_F(HostileEntry, SlicesDoNotShareBytes) {
  {
    CheckpointWriter writer(env_, "m");
    writer.add("p", Tensor::zeros(DType::Float, {1, 250000}), "1000 250000 0,1:-");
    writer.finish();
  }
  BundleIndex index = io::read_bundle_index(env_, "m");
  const BundleEntry part = index.entries.begin()->second;
  for (int64_t i = 1; i < 1000; ++i) {
    const io::TensorSlice slice = {{i, 1}, {}};
    index.entries[io::slice_key("p", slice)] = part;
    index.entries["p"].slices.push_back(slice);
  }
  AtomicFile file(env_, "m.index");
  io::write_bundle_index(index, &file);
  file.commit();
  const Error e = error_of([&] { CheckpointReader(env_, "m").read("p"); });
  EXPECT_EQ(e.code(), Code::DataLoss);
  EXPECT_THAT(e.what(), HasSubstr("slices that share bytes"));
}

TEST_F(HostileEntry, OverlappingSlicesAreRefused) {
  CheckpointWriter writer(env_, "m");
  const Tensor two = Tensor::vector<float>({1, 2});
  writer.add("p", two, "4 0,2");
  writer.add("p", two, "4 1,2");  // one element twice, one missing: as many as the tensor has
  writer.finish();
  EXPECT_EQ(error_of([&] { CheckpointReader(env_, "m").read("p"); }).code(), Code::InvalidArgument);
}

TEST_F(HostileEntry, NewerFormatsAreRefusedByName) {
  BundleIndex index = io::read_bundle_index(env_, "m");
  AtomicFile file(env_, "m.index");
  index.header.min_consumer = 2;
  io::write_bundle_index(index, &file);
  file.commit();
  const Error e = error_of([&] { CheckpointReader(env_, "m"); });
  EXPECT_EQ(e.code(), Code::InvalidArgument);
  EXPECT_THAT(e.what(), HasSubstr("Checkpoint min consumer version 2 above current version 1"));
}

TEST_F(HostileEntry, AMissingDataFileIsNamed) {
  env_.remove("m.data-00000-of-00001");
  const Error e = error_of([&] { CheckpointReader(env_, "m").read("a"); });
  EXPECT_EQ(e.code(), Code::NotFound);
  EXPECT_EQ(std::string(e.what()), "m.data-00000-of-00001; No such file or directory");
}

}  // namespace
}  // namespace vf
