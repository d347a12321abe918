#include "io/bundle_index.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "io/table_reader.h"
#include "io/table_writer.h"

namespace vf::io {
namespace {

constexpr int kVersion = 1;  // of the format; TensorFlow has had no other

void check_version(const proto::BundleHeader& header, const std::string& path) {
  const auto& bad = header.bad_consumers;
  if (header.min_consumer > kVersion)
    throw Error(Code::InvalidArgument, "Checkpoint min consumer version " + std::to_string(header.min_consumer) +
                                           " above current version " + std::to_string(kVersion) + ": " + path +
                                           " needs a newer reader.");
  if (std::find(bad.begin(), bad.end(), kVersion) != bad.end())
    throw Error(Code::InvalidArgument, "Checkpoint disallows consumer version " + std::to_string(kVersion) + ": " +
                                           path + " needs another reader.");
}

}  // namespace

std::string index_path(const std::string& prefix) { return prefix + ".index"; }

std::string data_path(const std::string& prefix, int shard, int num_shards) {
  char text[48];
  std::snprintf(text, sizeof text, ".data-%05d-of-%05d", shard, num_shards);
  return prefix + text;
}

BundleIndex read_bundle_index(Env& env, const std::string& prefix) {
  const std::string path = index_path(prefix);
  if (!env.exists(path)) {
    const auto v1 = env.info(prefix);
    if (v1 && !v1->folder)
      throw Error(Code::Unimplemented, prefix + " is a single file: checkpoints of format V1 are not supported");
    throw Error(Code::NotFound,
                "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for " + prefix);
  }
  const auto file = env.open(path);
  BundleIndex index;
  bool has_header = false;
  read_table(*file, [&](std::string_view key, std::string_view value) {
    try {
      if (!has_header) {
        if (!key.empty()) throw Error(Code::DataLoss, "the first entry is not the header");
        index.header = proto::parse_bundle_header(value);
        has_header = true;
      } else {
        index.entries.emplace_hint(index.entries.end(), key, proto::parse_bundle_entry(value));
      }
    } catch (const Error& e) {
      throw Error(Code::DataLoss, "Entry for key " + std::string(key) + " not parseable. " + path + ": " + e.what());
    }
  });
  if (!has_header)
    throw Error(Code::DataLoss, "Unable to read file (" + path +
                                    "). Perhaps the file is corrupt or was produced by a newer version of TensorFlow "
                                    "with format changes (failed to seek to header entry)");
  check_version(index.header, path);
  return index;
}

void write_bundle_index(const BundleIndex& index, AtomicFile* file) {
  TableWriter table(file);
  proto::BundleHeader header = index.header;
  header.producer = kVersion;
  table.add("", proto::serialize(header));
  for (const auto& [key, entry] : index.entries) table.add(key, proto::serialize(entry));
  table.finish();
}

DType dtype_of_entry(const proto::BundleEntry& entry) {
  if (entry.dtype <= 0 || entry.dtype > 255) return DType::Invalid;
  const auto dtype = static_cast<DType>(entry.dtype);
  return dtype_size(dtype) > 0 ? dtype : DType::Invalid;
}

void make_one_folder(Env& env, const std::string& path) {
  const std::string folder = folder_of(path);
  if (env.exists(folder)) return;
  if (!env.exists(folder_of(folder))) throw_errno(ENOENT, folder);
  env.create_folders(folder);
}

}  // namespace vf::io
