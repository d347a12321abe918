#pragma once
// An Env whose files are strings: for tests that write thousands of small ones. A folder is there
// while a file is in it; "." and "/" are always.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/env.h"

namespace vf::testing {

class MemoryEnv : public Env {
 public:
  std::map<std::string, std::string> files;  // by path

  std::unique_ptr<RandomAccessFile> open(const std::string& path) override {
    if (!files.contains(path)) throw_errno(ENOENT, path);
    return std::make_unique<Reader>(path, files[path]);
  }
  std::unique_ptr<WritableFile> create(const std::string& path, Write mode) override {
    if (mode == Write::Exclusive && files.contains(path)) throw_errno(EEXIST, path);
    if (mode == Write::Truncate) files[path].clear();
    return std::make_unique<Writer>(path, &files[path]);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (!files.contains(from)) throw_errno(ENOENT, from);
    files[to] = std::move(files[from]);
    files.erase(from);
  }
  void remove(const std::string& path) override {
    if (files.erase(path) == 0) throw_errno(ENOENT, path);
  }
  std::optional<FileInfo> info(const std::string& path) override {
    const auto found = files.find(path);
    if (found != files.end()) return FileInfo{false, found->second.size(), 0};
    if (path == "." || path == "/") return FileInfo{true, 0, 0};
    const auto inside = files.lower_bound(path + "/");
    const bool folder = inside != files.end() && inside->first.starts_with(path + "/");
    return folder ? std::optional(FileInfo{true, 0, 0}) : std::nullopt;
  }
  std::vector<std::string> list(const std::string& folder) override {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : files)
      if (folder_of(path) == folder) names.push_back(file_name_of(path));
    return names;
  }
  void create_folders(const std::string&) override {}
  void sync_folder(const std::string&) override {}

 private:
  class Reader : public RandomAccessFile {
   public:
    Reader(std::string path, std::string bytes) : path_(std::move(path)), bytes_(std::move(bytes)) {}
    const std::string& path() const override { return path_; }
    uint64_t size() const override { return bytes_.size(); }
    size_t read(uint64_t offset, void* to, size_t n) const override {
      if (offset >= bytes_.size()) return 0;
      n = std::min<size_t>(n, bytes_.size() - offset);
      std::memcpy(to, bytes_.data() + offset, n);
      return n;
    }

   private:
    std::string path_;
    std::string bytes_;
  };

  class Writer : public WritableFile {
   public:
    Writer(std::string path, std::string* bytes) : path_(std::move(path)), bytes_(bytes) {}
    const std::string& path() const override { return path_; }
    using WritableFile::append;
    void append(const void* data, size_t n) override { bytes_->append(static_cast<const char*>(data), n); }
    void sync() override {}
    void close() override {}

   private:
    std::string path_;
    std::string* bytes_;
  };
};

}  // namespace vf::testing
