#include <set>

#include "io/bundle_index.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using io::BundleIndex;
using io::proto::BundleEntry;

void add_entry(const std::string& key, BundleEntry entry, int first_shard, BundleIndex* merged) {
  const bool partitioned = !entry.slices.empty();
  if (!partitioned) entry.shard += first_shard;
  const auto [at, added] = merged->entries.try_emplace(key, entry);
  if (added) return;
  BundleEntry& there = at->second;
  if (!partitioned || there.slices.empty() || there.dtype != entry.dtype || there.shape.dims != entry.shape.dims)
    throw Error(Code::InvalidArgument, "Adding duplicate key: " + key);
  there.slices.insert(there.slices.end(), entry.slices.begin(), entry.slices.end());
}

}  // namespace

void merge_checkpoints(Env& env, const std::vector<std::string>& prefixes, const std::string& destination,
                       bool remove_folders) {
  if (prefixes.empty()) throw Error(Code::InvalidArgument, "no checkpoints to merge into " + destination);
  BundleIndex merged;
  std::vector<int> shards;  // of each prefix
  for (const std::string& prefix : prefixes) {
    const BundleIndex index = io::read_bundle_index(env, prefix);
    if (!shards.empty() && index.header.big_endian != merged.header.big_endian)
      throw Error(Code::InvalidArgument, "checkpoints of different byte order: " + prefixes.front() + ", " + prefix);
    merged.header.big_endian = index.header.big_endian;
    for (const auto& [key, entry] : index.entries) add_entry(key, entry, merged.header.num_shards, &merged);
    shards.push_back(index.header.num_shards);
    for (int i = 0; i < shards.back(); ++i) {
      const std::string path = io::data_path(prefix, i, shards.back());
      if (!env.exists(path)) throw Error(Code::NotFound, path + "; No such file or directory");
    }
    if (__builtin_add_overflow(merged.header.num_shards, shards.back(), &merged.header.num_shards))
      throw Error(Code::DataLoss, "too many shards in " + io::index_path(prefix));
  }
  io::make_one_folder(env, destination);
  AtomicFile index(env, io::index_path(destination));
  io::write_bundle_index(merged, &index);
  index.prepare();
  int shard = 0;
  for (size_t p = 0; p < prefixes.size(); ++p)
    for (int i = 0; i < shards[p]; ++i, ++shard)
      env.rename(io::data_path(prefixes[p], i, shards[p]), io::data_path(destination, shard, merged.header.num_shards));
  index.commit();
  std::set<std::string> folders;
  for (const std::string& prefix : prefixes) {
    if (prefix != destination) env.remove(io::index_path(prefix));
    folders.insert(folder_of(prefix));
  }
  if (!remove_folders) return;
  for (const std::string& folder : folders)
    if (folder != folder_of(destination) && env.list(folder).empty()) env.remove(folder);
}

}  // namespace vf
