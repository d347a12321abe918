#pragma once
#include <memory>
#include <string_view>

#include "base/atomic_file.h"

namespace vf::io {

// Writes a sorted string table as TensorFlow does: uncompressed blocks of 262,144 bytes. `file` must outlive it.
class TableWriter {
 public:
  explicit TableWriter(AtomicFile* file);
  ~TableWriter();
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  // Keys strictly ascending bytewise (Internal otherwise).
  void add(std::string_view key, std::string_view value);
  // Index block and footer; `file` is not committed.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vf::io
