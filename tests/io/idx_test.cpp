#include "io/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/temp_folder.h"
#include "gzip_bytes.h"

namespace vf::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kDigits = std::string(VARFLOW_SOURCE_ROOT) + "/data/mnist10k/";

class Idx : public ::testing::Test {
 protected:
  vf::testing::TempFolder folder_;
  std::string path_ = folder_ / "array";

  Tensor read(std::string_view bytes, uint64_t most = 1 << 20) {
    vf::testing::write_file(path_, bytes);
    return read_idx(Env::system(), path_, most);
  }
  void expect_error(std::string_view bytes, Code code, const std::string& text) {
    try {
      read(bytes);
      ADD_FAILURE() << "read without an error, where one is expected with: " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
      EXPECT_THAT(e.what(), AllOf(HasSubstr(path_), HasSubstr(text)));
    }
  }
};

// Two images of 2 x 3.
const std::string kImages(
    "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"
    "abcdefghijkl",
    28);

TEST_F(Idx, ReadsTheDigits) {
  // Counts, sums and values from Python's gzip, struct and sum() on the same files.
  struct Expected {
    const char* name;
    Shape shape;
    int64_t sum;
  };
  for (const auto& [name, shape, sum] : {Expected{"train-images-idx3-ubyte.gz", {9000, 28, 28}, 236321865},
                                         Expected{"train-labels-idx1-ubyte.gz", {9000}, 39943},
                                         Expected{"t10k-images-idx3-ubyte.gz", {1000, 28, 28}, 25824735},
                                         Expected{"t10k-labels-idx1-ubyte.gz", {1000}, 4425}}) {
    const Tensor array = read_idx(Env::system(), kDigits + name);
    EXPECT_EQ(array.dtype(), DType::UInt8);
    EXPECT_EQ(array.shape(), shape);
    const auto values = array.values<uint8_t>();
    EXPECT_EQ(std::accumulate(values.begin(), values.end(), int64_t{0}), sum) << name;
  }
  const Tensor labels = read_idx(Env::system(), kDigits + "train-labels-idx1-ubyte.gz");
  const Tensor images = read_idx(Env::system(), kDigits + "train-images-idx3-ubyte.gz");
  EXPECT_EQ(labels.number(0), 8);
  EXPECT_EQ(labels.number(7), 8);
  EXPECT_EQ(labels.number(8999), 9);
  const auto seventh = images.values<uint8_t>().subspan(7 * 784, 784);
  EXPECT_EQ(std::accumulate(seventh.begin(), seventh.end(), 0), 33714);
  EXPECT_EQ(seventh[14 * 28 + 14], 226);
}

TEST_F(Idx, ReadsPlainAndCompressed) {
  for (const auto& bytes : {kImages, vf::testing::compress(kImages),
                            vf::testing::compress(kImages.substr(0, 20)) + vf::testing::compress(kImages.substr(20))}) {
    const Tensor images = read(bytes);
    EXPECT_EQ(images.shape(), Shape({2, 2, 3}));
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(images.raw()), 12), "abcdefghijkl");
  }
  EXPECT_EQ(read(std::string("\0\0\x08\x02\0\0\0\0\xff\xff\xff\xff", 12)).num_elements(), 0);
}

TEST_F(Idx, ReadsBigEndianNumbers) {
  const auto header = [](char type) { return std::string("\0\0", 2) + type + std::string("\x01\0\0\0\x01", 5); };
  EXPECT_EQ(read(header(0x09) + "\xff").item<int8_t>(), -1);
  EXPECT_EQ(read(header(0x0B) + "\xff\x02").item<int16_t>(), -254);
  EXPECT_EQ(read(header(0x0C) + "\x01\x02\x03\x04").item<int32_t>(), 0x01020304);
  EXPECT_EQ(read(header(0x0D) + std::string("\x3f\xc0\0\0", 4)).item<float>(), 1.5F);
  EXPECT_EQ(read(header(0x0E) + std::string("\xbf\xf8\0\0\0\0\0\0", 8)).item<double>(), -1.5);
}

TEST_F(Idx, RefusesEveryTruncation) {
  for (size_t n = 0; n < kImages.size(); ++n) {
    expect_error(kImages.substr(0, n), Code::DataLoss, "truncated image file");
    expect_error(vf::testing::compress(kImages.substr(0, n)), Code::DataLoss, "truncated image file");
  }
  expect_error(kImages.substr(0, 20), Code::DataLoss, "12 bytes wanted at offset 16, at most 4 there");
  const std::string compressed = vf::testing::compress(kImages);
  for (size_t n = 2; n < compressed.size(); ++n) {
    expect_error(compressed.substr(0, n), Code::DataLoss, "truncated image file");
  }
  expect_error(std::string("\0\0\x08\x01\0\0\0\x02"
                           "1",
                           9),
               Code::DataLoss, "truncated label file");
}

TEST_F(Idx, RefusesWhatIsNotIdx) {
  expect_error("\x89PNG\r\n\x1a\n", Code::DataLoss, "not an IDX file: magic number 89504e47 at offset 0");
  expect_error(std::string("\0\0\x0a\x01\0\0\0\0", 8), Code::DataLoss, "not an IDX file");
  expect_error(std::string("\0\0\x08\0", 4), Code::DataLoss, "not an IDX file");
  expect_error(std::string("\0\0\x08\x09", 4) + std::string(36, '\0'), Code::DataLoss, "not an IDX file");
  expect_error(kImages + "x", Code::DataLoss, "the array ends at offset 28, the file does not");
  expect_error(vf::testing::compress(kImages + "x"), Code::DataLoss, "the array ends at offset 28, the file does not");
  expect_error(vf::testing::compress(kImages) + "rest", Code::DataLoss, "inflate() failed with error -3");
}

TEST_F(Idx, RefusesDamagedGzip) {
  const std::string compressed = vf::testing::compress(kImages);
  for (size_t i = 10; i < compressed.size(); ++i) {  // behind the header, of which gzip ignores some
    std::string damaged = compressed;
    damaged[i] ^= 0x10;
    EXPECT_THROW(read(damaged), Error) << "byte " << i;
  }
  std::string damaged = compressed;
  damaged[compressed.size() - 5] ^= 1;
  expect_error(damaged, Code::DataLoss, "incorrect data check");
}

// A size that the file cannot hold is refused before memory is asked for it: 2^62 bytes and more would throw otherwise.
TEST_F(Idx, AllocatesNothingForAClaim) {
  const std::string huge("\0\0\x0e\x03\x7f\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff", 16);
  expect_error(huge, Code::DataLoss, "truncated image file");
  expect_error(vf::testing::compress(huge), Code::DataLoss, "truncated image file");
}

TEST_F(Idx, BoundsWhatAGzipFileInflatesTo) {
  // 64 MB of zeros in 64 KB, behind an array of 12 bytes: refused after one byte more.
  expect_error(vf::testing::compress(kImages + std::string(size_t{1} << 26, '\0')), Code::DataLoss,
               "the array ends at");
  // An honest array, larger than allowed.
  const std::string large = std::string("\0\0\x08\x01\0\x20\0\0", 8) + std::string(size_t{1} << 21, '\0');
  expect_error(vf::testing::compress(large), Code::ResourceExhausted, "2097152 bytes is more than the 1048576 allowed");
}

TEST_F(Idx, NamesAMissingFile) {
  try {
    read_idx(Env::system(), folder_ / "nowhere");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::NotFound);
    EXPECT_THAT(e.what(), HasSubstr("nowhere; No such file or directory"));
  }
}

}  // namespace
}  // namespace vf::io
