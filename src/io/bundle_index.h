#pragma once
// The index of a checkpoint: which tensor lies where.
#include <functional>
#include <map>
#include <string>

#include "base/atomic_file.h"
#include "base/env.h"
#include "io/proto/bundle.h"
#include "varflow/dtype.h"

namespace vf::io {

struct BundleIndex {
  proto::BundleHeader header;
  // By key: a tensor's name, or slice_key() of a part, which begins with a zero byte.
  std::map<std::string, proto::BundleEntry, std::less<>> entries;
};

inline bool is_slice_key(std::string_view key) { return !key.empty() && key.front() == '\0'; }

std::string index_path(const std::string& prefix);
std::string data_path(const std::string& prefix, int shard, int num_shards);

// NotFound where there is no index; DataLoss for damage; Unimplemented for a file of format V1.
BundleIndex read_bundle_index(Env& env, const std::string& prefix);
void write_bundle_index(const BundleIndex& index, AtomicFile* file);

// The entry's dtype where Varflow has it, else Invalid.
DType dtype_of_entry(const proto::BundleEntry& entry);

// The folder of `path` is made where its parent is there; NotFound "FOLDER; No such file or directory" otherwise.
void make_one_folder(Env& env, const std::string& path);

}  // namespace vf::io
