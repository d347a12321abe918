#pragma once
#include <string>
#include <string_view>

namespace vf::testing {

// `bytes` as a gzip file, or as a zlib stream.
std::string compress(std::string_view bytes, bool gzip = true);
void write_file(const std::string& path, std::string_view bytes);

}  // namespace vf::testing
