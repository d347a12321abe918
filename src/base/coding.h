#pragma once
// Little-endian fixed-width integers and base-128 varints, as protocol buffers, LevelDB and TensorFlow have them.
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace vf {

static_assert(std::endian::native == std::endian::little, "Varflow's file formats assume a little-endian machine");

// Reads at `from`, which must hold sizeof(T) bytes, of any alignment.
template <class T>
T load_fixed(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline uint32_t load_fixed32(const void* from) { return load_fixed<uint32_t>(from); }
inline uint64_t load_fixed64(const void* from) { return load_fixed<uint64_t>(from); }

inline void put_fixed32(std::string* to, uint32_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void put_fixed64(std::string* to, uint64_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline void put_varint(std::string* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to->push_back(static_cast<char>(value | 0x80));
  to->push_back(static_cast<char>(value));
}

// Takes a varint of at most 64 bits from the front; nullopt, with `from` untouched, where there is none.
inline std::optional<uint64_t> take_varint(std::string_view* from) {
  uint64_t value = 0;
  for (size_t i = 0; i < from->size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>((*from)[i]);
    if (i == 9 && byte > 1) return std::nullopt;
    value |= uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      from->remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace vf
