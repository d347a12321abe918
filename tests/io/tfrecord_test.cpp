#include "io/tfrecord.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/fault_env.h"
#include "base/temp_folder.h"
#include "gzip_bytes.h"

namespace vf::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What TensorFlow 2.21's TFRecordWriter writes for the records "hello" and "world".
const std::string kFile(
    "\x05\0\0\0\0\0\0\0\xea\xb2\x04\x3ehello\xbb\x1f\x1c\x19"
    "\x05\0\0\0\0\0\0\0\xea\xb2\x04\x3eworld\x2d\x4e\x1f\xa5",
    42);

class TFRecord : public ::testing::Test {
 protected:
  vf::testing::TempFolder folder_;
  std::string path_ = folder_ / "records";

  std::vector<std::string> read(std::string_view bytes, RecordReader::Options options = {}) {
    vf::testing::write_file(path_, bytes);
    RecordReader reader(Env::system(), path_, options);
    std::vector<std::string> records;
    for (std::string record; reader.next(&record);) records.push_back(record);
    return records;
  }
  // The exact text behind the path.
  void expect_error(std::string_view bytes, const std::string& text, RecordReader::Options options = {}) {
    try {
      read(bytes, options);
      ADD_FAILURE() << "read without an error, where one is expected: " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::DataLoss);
      EXPECT_EQ(e.what(), path_ + "; " + text);
    }
  }
};

TEST_F(TFRecord, WritesTensorFlowsBytes) {
  std::string bytes;
  append_record(&bytes, "hello");
  append_record(&bytes, "world");
  EXPECT_EQ(bytes, kFile);
}

TEST_F(TFRecord, ReadsPlainAndCompressed) {
  EXPECT_THAT(read(kFile), ElementsAre("hello", "world"));
  EXPECT_THAT(read(vf::testing::compress(kFile), {.compression = Compression::Gzip}), ElementsAre("hello", "world"));
  EXPECT_THAT(read(vf::testing::compress(kFile, false), {.compression = Compression::Zlib}),
              ElementsAre("hello", "world"));
  EXPECT_THAT(read(""), ElementsAre());
}

TEST_F(TFRecord, RoundTripsThroughFiles) {
  std::vector<std::string> records = {"", "a", std::string(1'000'000, 'x'), std::string("\0\n", 2)};
  {
    RecordWriter writer(Env::system().create(path_));
    for (const auto& record : records) writer.write(record);
  }
  RecordReader reader(Env::system(), path_);
  std::string record;
  for (const auto& expected : records) {
    ASSERT_TRUE(reader.next(&record));
    EXPECT_EQ(record, expected);
  }
  EXPECT_EQ(reader.offset(), Env::system().info(path_)->size);
  EXPECT_FALSE(reader.next(&record));
}

// Each outcome and text is that of TensorFlow 2.21's tf_record_iterator on the same bytes.
TEST_F(TFRecord, JudgesDamageAsTensorFlowDoes) {
  const std::string kShort = "truncated record at 0' failed with Read less bytes than requested";
  EXPECT_THAT(read(kFile.substr(0, 11)), ElementsAre());
  for (size_t n : {12, 14, 17, 20}) expect_error(kFile.substr(0, n), kShort);
  EXPECT_THAT(read(kFile.substr(0, 32)), ElementsAre("hello"));
  expect_error(kFile.substr(0, 33), "truncated record at 21' failed with Read less bytes than requested");
  const auto flipped = [](size_t i) {
    std::string bytes = kFile;
    bytes[i] ^= 1;
    return bytes;
  };
  for (size_t i : {0, 8}) expect_error(flipped(i), "corrupted record at 0 (Is this even a TFRecord file?)");
  for (size_t i : {12, 17}) expect_error(flipped(i), "corrupted record at 12");
  expect_error(flipped(21), "corrupted record at 21");
  expect_error(flipped(33), "corrupted record at 33");
  expect_error(kFile, "inflate() failed with error -3: incorrect header check", {.compression = Compression::Zlib});
  const std::string gzip = vf::testing::compress(kFile);
  expect_error(gzip.substr(0, gzip.size() - 10), "truncated record at 21' failed with EOF reached",
               {.compression = Compression::Gzip});
}

TEST_F(TFRecord, RefusesLengthsThatTheFileCannotHold) {
  for (const uint64_t length : {uint64_t{6}, uint64_t{1} << 62, UINT64_MAX, UINT64_MAX - 3}) {
    std::string bytes;
    put_fixed64(&bytes, length);
    put_fixed32(&bytes, crc32c::mask(crc32c::value(bytes)));
    bytes += "123456789";
    expect_error(bytes, "truncated record at 0' failed with Read less bytes than requested");
    expect_error(vf::testing::compress(bytes), "truncated record at 0' failed with EOF reached",
                 {.compression = Compression::Gzip});
  }
}

TEST_F(TFRecord, LimitsARecord) {
  try {
    read(kFile, {.most_record_bytes = 4});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::ResourceExhausted);
    EXPECT_THAT(e.what(), HasSubstr("record at 0 of 5 bytes is more than the 4 allowed"));
  }
}

TEST_F(TFRecord, RefusesToWriteBehindHalfARecord) {
  vf::testing::FaultEnv env;
  RecordWriter writer(env.create(path_, Env::Write::Truncate));
  writer.write("hello");
  env.fail_at(env.calls(), ENOSPC);
  EXPECT_THROW(writer.flush(), Error);
  for (const auto& call : {+[](RecordWriter& w) { w.write("world"); }, +[](RecordWriter& w) { w.flush(); },
                           +[](RecordWriter& w) { w.close(); }}) {
    try {
      call(writer);
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::FailedPrecondition);
    }
  }
  EXPECT_EQ(Env::system().info(path_)->size, 10u);  // half of the 21 bytes, and nothing behind them
}

}  // namespace
}  // namespace vf::io
