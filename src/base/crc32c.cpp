#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace vf::crc32c {

uint32_t extend(uint32_t crc, const void* data, size_t n) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (n > 0) {
    const size_t part = std::min<size_t>(n, size_t{1} << 30);  // the length is an int there
    crc = ~crc32_iscsi(const_cast<unsigned char*>(from), static_cast<int>(part), ~crc);
    from += part;
    n -= part;
  }
  return crc;
}

}  // namespace vf::crc32c
