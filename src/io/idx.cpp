#include "io/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "io/byte_stream.h"

namespace vf::io {
namespace {

// The third byte of the magic number.
DType element_type(uint8_t code) {
  switch (code) {
    case 0x08: return DType::UInt8;
    case 0x09: return DType::Int8;
    case 0x0B: return DType::Int16;
    case 0x0C: return DType::Int32;
    case 0x0D: return DType::Float;
    case 0x0E: return DType::Double;
    default: return DType::Invalid;
  }
}

class IdxReader {
 public:
  IdxReader(Env& env, const std::string& path, uint64_t most_bytes)
      : stream_(open_stream(env, path, detect_gzip(env, path))), most_bytes_(most_bytes) {}

  Tensor read() {
    uint8_t magic[4];
    read_exactly(magic, 4);
    const DType dtype = element_type(magic[2]);
    rank_ = magic[3];
    if (magic[0] != 0 || magic[1] != 0 || dtype == DType::Invalid || rank_ < 1 || rank_ > Shape::kMaxRank) {
      throw Error(Code::DataLoss, fmt::format("{}; not an IDX file: magic number {:02x}{:02x}{:02x}{:02x} at offset 0",
                                              stream_->path(), magic[0], magic[1], magic[2], magic[3]));
    }
    const Shape shape = read_shape();
    const uint64_t bytes = checked_bytes(shape, dtype_size(dtype));
    Tensor array(dtype, shape);
    read_exactly(array.raw(), bytes);
    check_end();
    to_native_order(static_cast<uint8_t*>(array.raw()), bytes, dtype_size(dtype));
    return array;
  }

 private:
  Shape read_shape() {
    std::vector<uint8_t> sizes(size_t{4} * static_cast<size_t>(rank_));
    read_exactly(sizes.data(), sizes.size());
    Shape shape;
    for (const uint8_t* s = sizes.data(); s != sizes.data() + sizes.size(); s += 4) {
      shape.add_dim(int64_t{s[0]} << 24 | s[1] << 16 | s[2] << 8 | s[3]);
    }
    return shape;
  }

  uint64_t checked_bytes(const Shape& shape, uint64_t bytes) const {
    const auto dims = shape.dims();
    if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
    for (const int64_t size : dims) {
      if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
        bytes = std::numeric_limits<uint64_t>::max();
        break;
      }
    }
    if (bytes > stream_->most_left()) throw_truncated(bytes, stream_->most_left());
    if (bytes > most_bytes_) {
      throw Error(Code::ResourceExhausted, fmt::format("{}; an array {} of {} bytes is more than the {} allowed",
                                                       stream_->path(), shape.str(), bytes, most_bytes_));
    }
    return bytes;
  }

  void read_exactly(void* to, size_t n) {
    const size_t got = stream_->read(to, n);
    if (got < n) throw_truncated(n, got);
    offset_ += n;
  }

  // The array is there; so must be the end, and with it the checksum of a gzip'd file.
  void check_end() {
    uint8_t more;
    if (stream_->read(&more, 1) == 1) {
      throw Error(Code::DataLoss,
                  fmt::format("{}; the array ends at offset {}, the file does not", stream_->path(), offset_));
    }
    if (stream_->cut_off()) throw_truncated(1, 0);
  }

  [[noreturn]] void throw_truncated(uint64_t wanted, uint64_t there) const {
    throw Error(Code::DataLoss, fmt::format("{}; truncated {} file: {} bytes wanted at offset {}, at most {} there",
                                            stream_->path(), rank_ == 1 ? "label" : "image", wanted, offset_, there));
  }

  static void to_native_order(uint8_t* data, uint64_t bytes, size_t width) {
    if (width == 1) return;
    for (uint8_t* element = data; element != data + bytes; element += width) std::reverse(element, element + width);
  }

  std::unique_ptr<ByteStream> stream_;
  const uint64_t most_bytes_;
  int rank_ = 0;
  uint64_t offset_ = 0;  // in the decompressed bytes
};

}  // namespace

Tensor read_idx(Env& env, const std::string& path, uint64_t most_bytes) {
  return IdxReader(env, path, most_bytes).read();
}

}  // namespace vf::io
