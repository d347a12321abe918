#pragma once
// Files that are read once from front to end, as they are or through zlib.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/env.h"

namespace vf::io {

enum class Compression { None, Zlib, Gzip };  // Gzip: one member or several, one behind the other

// One thread at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual const std::string& path() const = 0;
  // Reads up to `n` bytes; fewer only at the end. DataLoss "PATH; inflate() failed with error ..." for a damaged
  // compressed stream, its checksum included.
  virtual size_t read(void* to, size_t n) = 0;
  // No more bytes than these can come, by the size of the file; exact where it is not compressed. For checking a
  // size that a file claims before memory is asked for.
  virtual uint64_t most_left() const = 0;
  // True once read() has met the end of the file inside a compressed stream.
  virtual bool cut_off() const { return false; }
};

// `env` is used only during the call.
std::unique_ptr<ByteStream> open_stream(Env& env, const std::string& path, Compression compression);
// Gzip where the file starts as one (1f 8b), else None.
Compression detect_gzip(Env& env, const std::string& path);

}  // namespace vf::io
