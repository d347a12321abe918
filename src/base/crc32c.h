#pragma once
// CRC-32C (Castagnoli), the checksum of checkpoints, TFRecords and event files.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vf::crc32c {

// The checksum of A + B, from `crc` = that of A; of B alone with 0.
uint32_t extend(uint32_t crc, const void* data, size_t n);
inline uint32_t value(std::string_view data) { return extend(0, data.data(), data.size()); }

// The form in which files store a checksum, so that a checksum of bytes that hold checksums stays a good one.
inline uint32_t mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }
inline uint32_t unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8U;
  return (rotated >> 17) | (rotated << 15);
}

}  // namespace vf::crc32c
