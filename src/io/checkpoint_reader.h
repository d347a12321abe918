#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/bundle_index.h"
#include "varflow/checkpoint.h"

namespace vf {

struct CheckpointReader::Impl {
  Impl(Env& env, const std::string& prefix);

  // InvalidArgument for a shard number that there is not.
  const RandomAccessFile& shard(int number) const;
  const io::proto::BundleEntry& find(const std::string& key, const std::string& shown_as) const;
  // The bytes that one entry (a plain tensor or one part) has; `shape` is its own.
  Tensor read_entry(const std::string& shown_as, const io::proto::BundleEntry& entry, const Shape& shape) const;
  Tensor read_slices(const std::string& name, const io::proto::BundleEntry& entry, const Shape& shape,
                     const io::TensorSlice& wanted, const std::string& spec) const;
  // Reads the entry's bytes in order, in pieces; OutOfRange before the first where the file is too short.
  void for_each_piece(const std::string& shown_as, const io::proto::BundleEntry& entry,
                      const std::function<void(const char*, size_t)>& visit) const;

  [[noreturn]] void throw_checksum(const std::string& shown_as, const io::proto::BundleEntry& entry,
                                   uint32_t calculated) const;

  Env& env;
  std::string prefix;
  io::BundleIndex index;
  std::vector<CheckpointEntry> entries;

 private:
  // All that can be known before the tensor is allocated: a supported dtype, a size that fits, bytes inside of the
  // file.
  void check(const std::string& shown_as, const io::proto::BundleEntry& entry, const Shape& shape) const;
  void read_plain(const std::string& shown_as, const io::proto::BundleEntry& entry, Tensor* to) const;
  void read_strings(const std::string& shown_as, const io::proto::BundleEntry& entry, Tensor* to) const;
  const RandomAccessFile& checked_range(const std::string& shown_as, const io::proto::BundleEntry& entry) const;
  std::string where(const std::string& shown_as, const io::proto::BundleEntry& entry) const;

  mutable std::mutex mutex_;  // guards shards_
  mutable std::map<int, std::unique_ptr<RandomAccessFile>> shards_;
};

}  // namespace vf
