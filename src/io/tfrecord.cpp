#include "io/tfrecord.h"

#include <algorithm>

#include "base/coding.h"
#include "base/crc32c.h"

namespace vf::io {
namespace {

constexpr size_t kHeader = 12;  // length and its checksum
constexpr size_t kFooter = 4;   // checksum of the data
constexpr size_t kBlock = 65536;

}  // namespace

void append_record(std::string* to, std::string_view data) {
  const size_t start = to->size();
  put_fixed64(to, data.size());
  put_fixed32(to, crc32c::mask(crc32c::value({to->data() + start, sizeof(uint64_t)})));
  to->append(data);
  put_fixed32(to, crc32c::mask(crc32c::value(data)));
}

RecordWriter::~RecordWriter() {
  try {
    if (!failed_) close();
  } catch (...) {  // who wants to know calls close()
  }
}

void RecordWriter::check_usable() const {
  if (failed_) throw Error(Code::FailedPrecondition, path() + "; an earlier write failed");
  if (closed_) throw Error(Code::FailedPrecondition, path() + "; closed");
}

template <class F>
void RecordWriter::guarded(F&& f) {
  failed_ = true;
  f();
  failed_ = false;
}

void RecordWriter::write(std::string_view data) {
  check_usable();
  append_record(&pending_, data);
  if (pending_.size() >= kBlock) flush();
}

void RecordWriter::flush() {
  check_usable();
  if (pending_.empty()) return;
  guarded([&] { file_->append(pending_); });
  pending_.clear();
}

void RecordWriter::sync() {
  flush();
  guarded([&] { file_->sync(); });
}

void RecordWriter::close() {
  if (closed_) return;
  flush();
  closed_ = true;
  guarded([&] { file_->close(); });
}

RecordReader::RecordReader(Env& env, const std::string& path, Options options)
    : stream_(open_stream(env, path, options.compression)), options_(options) {}

bool RecordReader::next(std::string* record) {
  char header[kHeader];
  if (stream_->read(header, kHeader) < kHeader) return false;
  if (crc32c::mask(crc32c::value({header, 8})) != load_fixed32(header + 8)) {
    throw_corrupted(offset_, offset_ == 0 ? " (Is this even a TFRecord file?)" : "");
  }
  const uint64_t length = load_fixed64(header);
  const uint64_t left = stream_->most_left();
  if (left < kFooter || length > left - kFooter) throw_truncated();
  if (length > options_.most_record_bytes) {
    throw Error(Code::ResourceExhausted, stream_->path() + "; record at " + std::to_string(offset_) + " of " +
                                             std::to_string(length) + " bytes is more than the " +
                                             std::to_string(options_.most_record_bytes) + " allowed");
  }
  // A compressed file may promise far more than it holds: memory grows with what has come.
  record->clear();
  while (record->size() < length) {
    const size_t have = record->size();
    const size_t want = std::min<uint64_t>(length - have, std::max(have, kBlock));
    record->resize(have + want);
    if (stream_->read(record->data() + have, want) < want) throw_truncated();
  }
  char footer[kFooter];
  if (stream_->read(footer, kFooter) < kFooter) throw_truncated();
  if (crc32c::mask(crc32c::value(*record)) != load_fixed32(footer)) throw_corrupted(offset_ + kHeader);
  offset_ += kHeader + length + kFooter;
  return true;
}

void RecordReader::throw_corrupted(uint64_t at, const char* more) const {
  throw Error(Code::DataLoss, stream_->path() + "; corrupted record at " + std::to_string(at) + more);
}

void RecordReader::throw_truncated() const {
  const char* why = options_.compression == Compression::None ? "Read less bytes than requested" : "EOF reached";
  throw Error(Code::DataLoss,
              stream_->path() + "; truncated record at " + std::to_string(offset_) + "' failed with " + why);
}

}  // namespace vf::io
