#include "io/byte_stream.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace vf::io {
namespace {

class PlainStream : public ByteStream {
 public:
  explicit PlainStream(std::unique_ptr<RandomAccessFile> file) : file_(std::move(file)) {}
  const std::string& path() const override { return file_->path(); }
  size_t read(void* to, size_t n) override {
    const size_t got = file_->read(offset_, to, n);
    offset_ += got;
    return got;
  }
  uint64_t most_left() const override { return file_->size() - std::min(offset_, file_->size()); }

 private:
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t offset_ = 0;
};

class InflatingStream : public ByteStream {
 public:
  InflatingStream(std::unique_ptr<RandomAccessFile> file, Compression compression)
      : file_(std::move(file)), input_(kBlock), several_members_(compression == Compression::Gzip) {
    constexpr int kWindowBits = 15;
    constexpr int kGzip = 16;  // added to the window's bits: a gzip header in place of zlib's
    const int result = inflateInit2(&zlib_, several_members_ ? kWindowBits + kGzip : kWindowBits);
    if (result != Z_OK)
      throw Error(Code::ResourceExhausted, path() + "; inflateInit() failed with error " + std::to_string(result));
  }
  ~InflatingStream() override { inflateEnd(&zlib_); }
  InflatingStream(const InflatingStream&) = delete;
  InflatingStream& operator=(const InflatingStream&) = delete;

  const std::string& path() const override { return file_->path(); }

  size_t read(void* to, size_t n) override {
    size_t done = 0;
    while (done < n) {
      if (zlib_.avail_in == 0) {
        zlib_.avail_in = static_cast<uInt>(file_->read(offset_, input_.data(), kBlock));
        zlib_.next_in = input_.data();
        offset_ += zlib_.avail_in;
        if (zlib_.avail_in == 0 && !inside_) break;
      }
      if (!inside_) {
        if (ended_ && !several_members_) {
          throw Error(Code::DataLoss, path() + "; bytes behind the end of the compressed data");
        }
        if (ended_) inflateReset(&zlib_);
        inside_ = true;
      }
      zlib_.next_out = static_cast<Bytef*>(to) + done;
      const size_t most = std::min<size_t>(n - done, std::numeric_limits<uInt>::max());
      zlib_.avail_out = static_cast<uInt>(most);
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      done += most - zlib_.avail_out;
      if (result == Z_STREAM_END) {
        inside_ = false;
        ended_ = true;
      } else if (result == Z_BUF_ERROR && zlib_.avail_in == 0) {  // it wants more input, and there is none
        cut_off_ = true;
        break;
      } else if (result != Z_OK) {
        throw Error(Code::DataLoss, path() + "; inflate() failed with error " + std::to_string(result) + ": " +
                                        (zlib_.msg ? zlib_.msg : "unknown"));
      }
    }
    return done;
  }

  uint64_t most_left() const override {
    // Deflate's densest code is 258 bytes for two bits; a window may wait inside zlib.
    constexpr uint64_t kMostRatio = 1032, kWindow = 65536;
    const uint64_t compressed = file_->size() - std::min(offset_, file_->size()) + zlib_.avail_in;
    if (compressed > std::numeric_limits<uint64_t>::max() / (2 * kMostRatio))
      return std::numeric_limits<uint64_t>::max();
    return compressed * kMostRatio + kWindow;
  }
  bool cut_off() const override { return cut_off_; }

 private:
  static constexpr size_t kBlock = 65536;
  std::unique_ptr<RandomAccessFile> file_;
  std::vector<Bytef> input_;
  const bool several_members_;
  z_stream zlib_{};
  uint64_t offset_ = 0;  // in the file, of what comes into input_ next
  bool inside_ = false;  // of a compressed stream
  bool ended_ = false;   // at least one has come to its end
  bool cut_off_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> open_stream(Env& env, const std::string& path, Compression compression) {
  auto file = env.open(path);
  if (compression == Compression::None) return std::make_unique<PlainStream>(std::move(file));
  return std::make_unique<InflatingStream>(std::move(file), compression);
}

Compression detect_gzip(Env& env, const std::string& path) {
  unsigned char start[2];
  const bool gzip = env.open(path)->read(0, start, 2) == 2 && start[0] == 0x1f && start[1] == 0x8b;
  return gzip ? Compression::Gzip : Compression::None;
}

}  // namespace vf::io
