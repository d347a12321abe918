// Env over POSIX calls.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/env.h"

namespace vf {
namespace {

constexpr size_t kMostPerCall = size_t{1} << 30;  // the system takes at most 2 GiB - 4 KiB at once

// A zero byte would end the path early: another file than the one that a caller has checked.
const char* c_path(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw_errno(EINVAL, path.c_str());
  return path.c_str();
}

int open_retrying(const std::string& path, int flags) {
  int fd;
  do fd = ::open(c_path(path), flags | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) throw_errno(errno, path);
  return fd;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class SystemReader : public RandomAccessFile {
 public:
  explicit SystemReader(const std::string& path) : path_(path), fd_(open_retrying(path, O_RDONLY | O_NONBLOCK)) {
    struct stat s;
    if (::fstat(fd_.get(), &s) != 0) throw_errno(errno, path_);
    if (S_ISDIR(s.st_mode)) throw_errno(EISDIR, path_);
    if (!S_ISREG(s.st_mode)) throw Error(Code::FailedPrecondition, path_ + "; Not a regular file");
    size_ = static_cast<uint64_t>(s.st_size);
  }
  const std::string& path() const override { return path_; }
  uint64_t size() const override { return size_; }
  size_t read(uint64_t offset, void* to, size_t n) const override {
    size_t done = 0;
    while (done < n) {
      if (offset + done > static_cast<uint64_t>(INT64_MAX)) break;
      const ssize_t got = ::pread(fd_.get(), static_cast<char*>(to) + done, std::min(n - done, kMostPerCall),
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_errno(errno, path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

 private:
  std::string path_;
  Descriptor fd_;
  uint64_t size_ = 0;
};

class SystemWriter : public WritableFile {
 public:
  SystemWriter(const std::string& path, int flags) : path_(path), fd_(open_retrying(path, flags | O_WRONLY)) {}
  const std::string& path() const override { return path_; }
  using WritableFile::append;
  void append(const void* data, size_t n) override {
    const char* from = static_cast<const char*>(data);
    while (n > 0) {
      const ssize_t put = ::write(fd_.get(), from, std::min(n, kMostPerCall));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) throw_errno(errno, path_);
      from += put;
      n -= static_cast<size_t>(put);
    }
  }
  void sync() override {
    if (::fsync(fd_.get()) != 0) throw_errno(errno, path_);
  }
  void close() override {
    const int fd = fd_.release();
    if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) throw_errno(errno, path_);
  }

 private:
  std::string path_;
  Descriptor fd_;
};

class SystemEnv : public Env {
 public:
  std::unique_ptr<RandomAccessFile> open(const std::string& path) override {
    return std::make_unique<SystemReader>(path);
  }
  std::unique_ptr<WritableFile> create(const std::string& path, Write mode) override {
    const int how = mode == Write::Append ? O_APPEND : mode == Write::Exclusive ? O_EXCL : O_TRUNC;
    return std::make_unique<SystemWriter>(path, O_CREAT | how);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (::rename(c_path(from), c_path(to)) == 0) return;
    const int error = errno;
    throw Error(code_of_errno(error), from + " to " + to + "; " + std::generic_category().message(error));
  }
  void remove(const std::string& path) override {
    if (::remove(c_path(path)) != 0) throw_errno(errno, path);
  }
  std::optional<FileInfo> info(const std::string& path) override {
    struct stat s;
    if (::stat(c_path(path), &s) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      throw_errno(errno, path);
    }
    return FileInfo{S_ISDIR(s.st_mode), static_cast<uint64_t>(s.st_size), s.st_mtim.tv_sec};
  }
  std::vector<std::string> list(const std::string& folder) override {
    DIR* stream = ::opendir(c_path(folder));
    if (!stream) throw_errno(errno, folder);
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    if (errno != 0) throw_errno(errno, folder);
    std::sort(names.begin(), names.end());
    return names;
  }
  void create_folders(const std::string& path) override {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      if (!part.empty() && ::mkdir(c_path(part), 0777) != 0) {
        const int error = errno;
        const auto there = info(part);
        if (!there || !there->folder) throw_errno(there ? ENOTDIR : error, part);
      }
      if (end == std::string::npos) return;
    }
  }
  void sync_folder(const std::string& path) override {
    const Descriptor fd(open_retrying(path, O_RDONLY | O_DIRECTORY));
    // Some file systems cannot sync a folder and say EINVAL: nothing more can be done there.
    if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) throw_errno(errno, path);
  }
};

}  // namespace

Env& Env::system() {
  static SystemEnv* const env = new SystemEnv;  // never destroyed: other static objects may write late
  return *env;
}

}  // namespace vf
