#include "io/resource_file.h"

#include <string_view>

#include "base/atomic_file.h"
#include "base/coding.h"
#include "base/crc32c.h"

namespace vf::io {
namespace {

constexpr std::string_view kMagic = "VFRESRC\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeader = 16;  // magic, version, count
constexpr size_t kFooter = 4;   // checksum

[[noreturn]] void damaged(const std::string& path, const std::string& why) {
  throw Error(Code::DataLoss, path + ": " + why);
}

}  // namespace

std::string resources_path(const std::string& prefix) { return prefix + ".resources"; }

void write_resources(Env& env, const std::string& path, const std::vector<ResourceState>& states) {
  std::string bytes(kMagic);
  put_fixed32(&bytes, kVersion);
  put_fixed32(&bytes, static_cast<uint32_t>(states.size()));
  for (const ResourceState& s : states)
    for (const std::string* field : {&s.container, &s.name, &s.type, &s.bytes}) {
      put_varint(&bytes, field->size());
      bytes += *field;
    }
  put_fixed32(&bytes, crc32c::mask(crc32c::value(bytes)));
  write_file_atomically(env, path, bytes);
}

std::vector<ResourceState> read_resources(Env& env, const std::string& path) {
  const std::string bytes = read_file(env, path);
  if (bytes.size() < kHeader + kFooter || bytes.compare(0, kMagic.size(), kMagic) != 0)
    damaged(path, "not a file of resources");
  const uint32_t version = load_fixed32(bytes.data() + kMagic.size());
  if (version > kVersion)
    throw Error(Code::Unimplemented, path + ": is of version " + std::to_string(version) +
                                         "; this Varflow reads versions up to " + std::to_string(kVersion));
  const std::string_view content(bytes.data(), bytes.size() - kFooter);
  if (crc32c::mask(crc32c::value(content)) != load_fixed32(content.data() + content.size()))
    damaged(path, "wrong checksum");
  const uint32_t count = load_fixed32(content.data() + kMagic.size() + 4);
  std::string_view rest = content.substr(kHeader);
  std::vector<ResourceState> states;
  for (uint32_t i = 0; i < count; ++i) {
    ResourceState s;
    for (std::string* field : {&s.container, &s.name, &s.type, &s.bytes}) {
      const auto size = take_varint(&rest);
      if (!size || *size > rest.size()) damaged(path, "ends within resource " + std::to_string(i));
      field->assign(rest.substr(0, *size));
      rest.remove_prefix(*size);
    }
    states.push_back(std::move(s));
  }
  if (!rest.empty()) damaged(path, "has " + std::to_string(rest.size()) + " bytes after its last resource");
  return states;
}

}  // namespace vf::io
