#include "base/coding.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"

namespace vf {
namespace {

TEST(Coding, VarintsGoAndComeBack) {
  for (int bits = 0; bits < 64; ++bits) {
    for (uint64_t value : {(uint64_t{1} << bits) - 1, uint64_t{1} << bits, ~uint64_t{0} >> bits}) {
      std::string bytes;
      put_varint(&bytes, value);
      EXPECT_EQ(bytes.size(), value == 0 ? 1 : (64 - static_cast<size_t>(std::countl_zero(value)) + 6) / 7);
      bytes += 'x';
      std::string_view rest = bytes;
      EXPECT_EQ(take_varint(&rest), value);
      EXPECT_EQ(rest, "x");
      for (size_t n = 0; n + 1 < bytes.size(); ++n) {
        std::string_view cut = std::string_view(bytes).substr(0, n);
        EXPECT_EQ(take_varint(&cut), std::nullopt);
        EXPECT_EQ(cut.size(), n);
      }
    }
  }
  std::string_view too_long = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";  // 65 bits
  EXPECT_EQ(take_varint(&too_long), std::nullopt);
}

TEST(Coding, FixedIsLittleEndian) {
  std::string bytes;
  put_fixed32(&bytes, 0x01020304U);
  put_fixed64(&bytes, 0x05060708090a0b0cULL);
  EXPECT_EQ(bytes, std::string("\x04\x03\x02\x01\x0c\x0b\x0a\x09\x08\x07\x06\x05", 12));
  EXPECT_EQ(load_fixed32(bytes.data()), 0x01020304U);
  EXPECT_EQ(load_fixed64(bytes.data() + 4), 0x05060708090a0b0cULL);
}

// The examples of RFC 3720, appendix B.4, and the usual check value.
TEST(Crc32c, MatchesTheStandard) {
  EXPECT_EQ(crc32c::value("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c::value(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c::value(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c::value(""), 0U);
}

TEST(Crc32c, ExtendsAndMasks) {
  EXPECT_EQ(crc32c::extend(crc32c::value("1234"), "56789", 5), 0xe3069283U);
  EXPECT_EQ(crc32c::mask(0), 0xa282ead8U);
  for (uint32_t crc : {0U, 1U, 0x8a9136aaU, 0xffffffffU}) EXPECT_EQ(crc32c::unmask(crc32c::mask(crc)), crc);
}

}  // namespace
}  // namespace vf
