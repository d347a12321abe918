#pragma once
// Every call to the file system, behind one interface, so that tests can inject faults and a sandbox can refuse paths.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/error.h"

namespace vf {

// Paths are bytes, as the system has them. Every failure is a vf::Error whose text is "PATH; No such file or
// directory" (path, then the system's words), with the code of code_of_errno.

// NotFound for ENOENT, PermissionDenied, AlreadyExists, ResourceExhausted (ENOSPC, EDQUOT, EMFILE, ...), ...
Code code_of_errno(int error);
[[noreturn]] void throw_errno(int error, std::string_view path);

// A regular file open for reading. Its methods may be called from several threads at once.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  virtual const std::string& path() const = 0;
  virtual uint64_t size() const = 0;  // bytes; when the file was opened
  // Reads up to `n` bytes at `offset`; fewer only at the end of the file. Returns how many.
  virtual size_t read(uint64_t offset, void* to, size_t n) const = 0;
  // All `n` bytes, or OutOfRange "PATH; Read less bytes than requested ...".
  void read_exactly(uint64_t offset, void* to, size_t n) const;
};

// A file open for writing at its end, by one thread at a time. The destructor closes without sync and reports nothing.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual const std::string& path() const = 0;
  virtual void append(const void* data, size_t n) = 0;
  void append(std::string_view data) { append(data.data(), data.size()); }
  virtual void sync() = 0;   // the bytes are on the device when it returns
  virtual void close() = 0;  // idempotent
};

struct FileInfo {
  bool folder = false;
  uint64_t size = 0;             // bytes
  int64_t modified_seconds = 0;  // since 1970, UTC
};

class Env {
 public:
  virtual ~Env() = default;
  // The operating system's files.
  static Env& system();

  // NotFound; FailedPrecondition for a folder or anything else that is not a regular file (it never blocks).
  virtual std::unique_ptr<RandomAccessFile> open(const std::string& path) = 0;
  enum class Write { Truncate, Append, Exclusive };  // Exclusive: AlreadyExists where the file is there
  virtual std::unique_ptr<WritableFile> create(const std::string& path, Write mode = Write::Truncate) = 0;

  virtual void rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual void remove(const std::string& path) = 0;                         // a file, a link or an empty folder
  virtual std::optional<FileInfo> info(const std::string& path) = 0;        // nullopt where nothing is there
  virtual std::vector<std::string> list(const std::string& folder) = 0;     // names, sorted, without . and ..
  virtual void create_folders(const std::string& path) = 0;                 // with parents; those there are fine
  virtual void sync_folder(const std::string& path) = 0;                    // makes creations and renames in it durable

  bool exists(const std::string& path) { return info(path).has_value(); }
};

// "a/b" of "a/b/c", "." of "c", "/" of "/c".
std::string folder_of(std::string_view path);
// "c" of "a/b/c".
std::string file_name_of(std::string_view path);
// `name` inside `folder`; `name` itself where it is absolute or the folder empty.
std::string join_path(std::string_view folder, std::string_view name);

// The whole file. ResourceExhausted where it is larger than `most` bytes.
std::string read_file(Env& env, const std::string& path, uint64_t most = UINT64_MAX);

}  // namespace vf
