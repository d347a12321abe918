#pragma once
// TFRecord files: a sequence of byte strings, each with its checksum. docs/formats/tfrecord-and-events.md.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "io/byte_stream.h"

namespace vf::io {

// Appends `data`, framed as one record.
void append_record(std::string* to, std::string_view data);

// Gathers records and hands them on in blocks of about 64 KB. One thread at a time. After a failed write the file may
// end in half a record: every later call is refused with FailedPrecondition. The destructor flushes and reports
// nothing.
class RecordWriter {
 public:
  explicit RecordWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  const std::string& path() const { return file_->path(); }
  void write(std::string_view data);
  void flush();  // to the operating system, so that readers see it
  void sync();   // to the device
  void close();  // flush and close; idempotent

 private:
  void check_usable() const;
  template <class F>
  void guarded(F&& f);

  std::unique_ptr<WritableFile> file_;
  std::string pending_;
  bool failed_ = false;
  bool closed_ = false;
};

// One thread at a time. Errors are DataLoss with TensorFlow's texts behind the path: "PATH; corrupted record at N",
// "PATH; truncated record at N' failed with ..."; N is an offset in the decompressed bytes.
class RecordReader {
 public:
  struct Options {
    Compression compression = Compression::None;
    uint64_t most_record_bytes = uint64_t{1} << 31;  // ResourceExhausted above
  };
  RecordReader(Env& env, const std::string& path, Options options);
  RecordReader(Env& env, const std::string& path) : RecordReader(env, path, Options{}) {}

  // False at the end of the file: fewer than the 12 bytes of a record's header are left.
  bool next(std::string* record);
  uint64_t offset() const { return offset_; }  // of the next record

 private:
  [[noreturn]] void throw_corrupted(uint64_t at, const char* more = "") const;
  [[noreturn]] void throw_truncated() const;

  std::unique_ptr<ByteStream> stream_;
  Options options_;
  uint64_t offset_ = 0;
};

}  // namespace vf::io
