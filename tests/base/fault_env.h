#pragma once
// An Env that passes everything on to another one, writes down what is called, and fails where a test wants it to.
#include <cerrno>
#include <string>
#include <vector>

#include "base/env.h"

namespace vf::testing {

class FaultEnv : public Env {
 public:
  explicit FaultEnv(Env& under = Env::system()) : under_(under) {}

  // The call number `call` (from 0) fails as the system would with `error`. An append writes half of its bytes first.
  void fail_at(int64_t call, int error) {
    fail_at_ = call;
    error_ = error;
    crash_ = false;
  }
  // That call and all later ones fail: the process as good as died there.
  void crash_at(int64_t call) {
    fail_at(call, EIO);
    crash_ = true;
  }
  int64_t calls() const { return static_cast<int64_t>(log_.size()); }
  // "create NAME", "append NAME", "sync NAME", "rename NAME NAME", "sync_folder NAME", ...; file names without folders.
  const std::vector<std::string>& log() const { return log_; }

  std::unique_ptr<RandomAccessFile> open(const std::string& path) override {
    step("open", path);
    return std::make_unique<Reader>(*this, under_.open(path));
  }
  std::unique_ptr<WritableFile> create(const std::string& path, Write mode) override {
    step("create", path);
    return std::make_unique<Writer>(*this, under_.create(path, mode));
  }
  void rename(const std::string& from, const std::string& to) override {
    step("rename", from, " " + file_name_of(to));
    under_.rename(from, to);
  }
  void remove(const std::string& path) override {
    step("remove", path);
    under_.remove(path);
  }
  std::optional<FileInfo> info(const std::string& path) override {
    step("info", path);
    return under_.info(path);
  }
  std::vector<std::string> list(const std::string& folder) override {
    step("list", folder);
    return under_.list(folder);
  }
  void create_folders(const std::string& path) override {
    step("create_folders", path);
    under_.create_folders(path);
  }
  void sync_folder(const std::string& path) override {
    step("sync_folder", path);
    under_.sync_folder(path);
  }

 private:
  bool fails_now() const {
    const auto now = static_cast<int64_t>(log_.size()) - 1;
    return fail_at_ >= 0 && (crash_ ? now >= fail_at_ : now == fail_at_);
  }
  void record(const char* what, const std::string& path, const std::string& more = "") {
    log_.push_back(std::string(what) + " " + file_name_of(path) + more);
  }
  void step(const char* what, const std::string& path, const std::string& more = "") {
    record(what, path, more);
    if (fails_now()) throw_errno(error_, path);
  }

  class Reader : public RandomAccessFile {
   public:
    Reader(FaultEnv& env, std::unique_ptr<RandomAccessFile> file) : env_(env), file_(std::move(file)) {}
    const std::string& path() const override { return file_->path(); }
    uint64_t size() const override { return file_->size(); }
    size_t read(uint64_t offset, void* to, size_t n) const override {
      env_.step("read", path());
      return file_->read(offset, to, n);
    }

   private:
    FaultEnv& env_;
    std::unique_ptr<RandomAccessFile> file_;
  };

  class Writer : public WritableFile {
   public:
    Writer(FaultEnv& env, std::unique_ptr<WritableFile> file) : env_(env), file_(std::move(file)) {}
    const std::string& path() const override { return file_->path(); }
    using WritableFile::append;
    void append(const void* data, size_t n) override {
      env_.record("append", path());
      if (env_.fails_now()) {
        file_->append(data, n / 2);
        throw_errno(env_.error_, path());
      }
      file_->append(data, n);
    }
    void sync() override {
      env_.step("sync", path());
      file_->sync();
    }
    void close() override {
      env_.step("close", path());
      file_->close();
    }

   private:
    FaultEnv& env_;
    std::unique_ptr<WritableFile> file_;
  };

  Env& under_;
  std::vector<std::string> log_;
  int64_t fail_at_ = -1;
  int error_ = 0;
  bool crash_ = false;
};

}  // namespace vf::testing
