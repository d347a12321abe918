#include "io/table_writer.h"

#include <leveldb/env.h>
#include <leveldb/options.h>
#include <leveldb/table_builder.h>

#include <exception>
#include <optional>

namespace vf::io {
namespace {

constexpr size_t kBlockSize = 262144;
constexpr size_t kLargeEntry = 2 * kBlockSize;  // gets a block of its own

// LevelDB is built without exceptions: one is kept here until its call has returned.
class Sink : public leveldb::WritableFile {
 public:
  explicit Sink(AtomicFile* file) : file_(file) {}
  leveldb::Status Append(const leveldb::Slice& data) override {
    try {
      file_->append(data.data(), data.size());
    } catch (...) {
      failure_ = std::current_exception();
      return leveldb::Status::IOError("write failed");
    }
    return leveldb::Status::OK();
  }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }

  void check(const leveldb::Status& status) const {
    if (failure_) std::rethrow_exception(failure_);
    if (!status.ok()) throw Error(Code::Internal, file_->path() + "; " + status.ToString());
  }
  const std::string& path() const { return file_->path(); }

 private:
  AtomicFile* file_;
  std::exception_ptr failure_;
};

leveldb::Options options() {
  leveldb::Options o;
  o.block_size = kBlockSize;
  o.compression = leveldb::kNoCompression;
  return o;
}

}  // namespace

struct TableWriter::Impl {
  explicit Impl(AtomicFile* file) : sink(file), builder(options(), &sink) {}
  ~Impl() {
    if (!finished) builder.Abandon();
  }
  Sink sink;
  leveldb::TableBuilder builder;
  std::optional<std::string> last_key;
  bool finished = false;
};

TableWriter::TableWriter(AtomicFile* file) : impl_(std::make_unique<Impl>(file)) {}
TableWriter::~TableWriter() = default;

void TableWriter::add(std::string_view key, std::string_view value) {
  if (impl_->last_key && key <= *impl_->last_key)
    throw Error(Code::Internal, impl_->sink.path() + "; keys out of order");
  impl_->last_key = key;
  if (key.size() + value.size() >= kLargeEntry) impl_->builder.Flush();
  impl_->builder.Add({key.data(), key.size()}, {value.data(), value.size()});
  impl_->sink.check(impl_->builder.status());
}

void TableWriter::finish() {
  impl_->finished = true;
  impl_->sink.check(impl_->builder.Finish());
}

}  // namespace vf::io
