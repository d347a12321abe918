#pragma once
// Whole files, or none: what is read under the final name is the old bytes or all of the new ones, also after a crash.
#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"

namespace vf {

// Written beside `path` under "PATH.tempstateNUMBER"; commit() makes it durable and renames it. Without commit()
// (an exception on the way, for example) the file beside is removed and `path` stays what it was.
// One thread at a time; `env` must outlive it.
class AtomicFile {
 public:
  AtomicFile(Env& env, const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }  // bytes appended so far
  // Small pieces are gathered into blocks. After one that failed the file cannot be committed.
  void append(const void* data, size_t n);
  void append(std::string_view data) { append(data.data(), data.size()); }
  // Flush, fsync and close; nothing may be appended after it. For files that belong together: all of them are
  // prepared before the first one is committed.
  void prepare();
  // prepare() where that was not done, rename, fsync of the folder. Once.
  void commit();

 private:
  void write(const void* data, size_t n);
  void flush();

  Env& env_;
  std::string path_;
  std::string beside_;
  std::string pending_;
  uint64_t size_ = 0;
  bool prepared_ = false;
  bool failed_ = false;  // a write did not come to its end
  std::unique_ptr<WritableFile> file_;
};

void write_file_atomically(Env& env, const std::string& path, std::string_view bytes);

}  // namespace vf
