#include "gzip_bytes.h"

#include <zlib.h>

#include <stdexcept>

#include "base/env.h"

namespace vf::testing {

std::string compress(std::string_view bytes, bool gzip) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, gzip ? 31 : 15, 9, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string to(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  const int result = deflate(&stream, Z_FINISH);
  to.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate");
  return to;
}

void write_file(const std::string& path, std::string_view bytes) {
  auto file = Env::system().create(path);
  file->append(bytes);
  file->close();
}

}  // namespace vf::testing
