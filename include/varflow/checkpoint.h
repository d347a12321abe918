#pragma once
// TensorFlow's checkpoints (format V2): PREFIX.index and PREFIX.data-00000-of-00001, ..., without a graph.
// docs/formats/checkpoint-v2.md describes the bytes.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "varflow/tensor.h"

namespace vf {

class Env;

struct CheckpointEntry {
  std::string name;
  DType dtype = DType::Invalid;     // Invalid: a type that Varflow has not, such as qint8
  Shape shape;                      // of the full tensor
  std::vector<std::string> slices;  // of a partitioned tensor, as "start,length:start,length"; "-" is a whole dimension
};

// What is read was checked: sizes against the files before anything is allocated, bytes against their checksums.
// Const methods may be called from several threads at once.
class VF_API CheckpointReader {
 public:
  // Reads the index. NotFound where PREFIX.index is missing, DataLoss where it is damaged.
  explicit CheckpointReader(const std::string& prefix);
  CheckpointReader(Env& env, const std::string& prefix);  // env must outlive the reader
  CheckpointReader(CheckpointReader&&) noexcept;
  CheckpointReader& operator=(CheckpointReader&&) noexcept;
  ~CheckpointReader();

  const std::string& prefix() const;
  const std::vector<CheckpointEntry>& entries() const;  // sorted by name, bytewise
  bool has(const std::string& name) const;
  // NotFound "Key NAME not found in checkpoint".
  const CheckpointEntry& entry(const std::string& name) const;

  // The tensor, put together from its slices where it is partitioned. `shape_and_slice` is TensorFlow's: "" for all
  // of it, or the full shape and a start and length (or "-") for each dimension: "5 2 0,3:-".
  // NotFound; InvalidArgument where `expected` is given and not the dtype, or the shape is another one; DataLoss for
  // a wrong checksum; OutOfRange for a data file that is too short.
  Tensor read(const std::string& name, const std::string& shape_and_slice = "", DType expected = DType::Invalid) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Writes one checkpoint. Both files are written beside; finish() makes them durable and gives them their names, the
// index last. Without finish() (an exception, for example) nothing is left behind. One thread at a time.
class VF_API CheckpointWriter {
 public:
  // Makes the folder of `prefix` where only that one level is missing, as TensorFlow does; NotFound otherwise.
  explicit CheckpointWriter(const std::string& prefix);
  CheckpointWriter(Env& env, const std::string& prefix);  // env must outlive the writer
  CheckpointWriter(CheckpointWriter&&) noexcept;
  CheckpointWriter& operator=(CheckpointWriter&&) noexcept;
  ~CheckpointWriter();

  // Writes the tensor's bytes now; they need not stay. With `shape_and_slice` ("5 2 0,3:-") the tensor is that part
  // of the full one. InvalidArgument for a name that is there already, or a part of another shape than it says.
  void add(const std::string& name, const Tensor& tensor, const std::string& shape_and_slice = "");
  // Copies the stored bytes of a tensor, with its slices, in pieces: any size and any dtype, in little memory.
  void copy(const CheckpointReader& from, const std::string& name);
  // Once; nothing may be added after it.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Makes one checkpoint of several, each the shard of a device, as MergeV2Checkpoints does: their data files are
// renamed, slices of one tensor are united, their index files go, and so do their folders where they are empty then
// and `remove_folders` is set.
VF_API void merge_checkpoints(Env& env, const std::vector<std::string>& prefixes, const std::string& destination,
                              bool remove_folders = true);

// The file "checkpoint" of a folder says which checkpoints are there.
struct CheckpointState {
  std::string newest;            // model_checkpoint_path
  std::vector<std::string> all;  // all_model_checkpoint_paths: oldest first
};
// Relative paths are made relative to the folder's parent, as `folder` is. nullopt where the file is missing or
// is no such text; InvalidArgument where it names no newest checkpoint.
VF_API std::optional<CheckpointState> checkpoint_state(const std::string& folder,
                                                       const std::string& state_file = "checkpoint");
// Writes that file, atomically. Relative paths are written relative to `folder`; with `save_relative_paths`
// absolute ones as well. `newest` is added to `all`
// unless it is the last one there.
VF_API void update_checkpoint_state(const std::string& folder, CheckpointState state, bool save_relative_paths = false,
                                    const std::string& state_file = "checkpoint");
// True if PREFIX.index, or a file PREFIX (of format V1; * and ? match there), exists.
VF_API bool checkpoint_exists(const std::string& prefix);
// The newest checkpoint that the state file names; nullopt where there is none, or its files are gone.
VF_API std::optional<std::string> latest_checkpoint(const std::string& folder,
                                                    const std::string& state_file = "checkpoint");
// Removes the files of a checkpoint, its PREFIX.meta and PREFIX.resources, the index first; those missing are fine.
VF_API void remove_checkpoint(const std::string& prefix);

struct CheckpointHistoryOptions {
  int max_to_keep = 5;              // 0: all, and the state file names the newest only
  double keep_every_hours = 10000;  // one for each such span is never removed
  bool save_relative_paths = false;
  std::string state_file = "checkpoint";
  std::function<double()> clock = {};  // seconds since 1970; the system's where empty
};

// What a Saver remembers: which checkpoints it wrote, and which of them have to go. One thread at a time.
class VF_API CheckpointHistory {
 public:
  explicit CheckpointHistory(CheckpointHistoryOptions options = {});
  // A checkpoint was written: brings the state file of its folder up to date, then removes those that are too many.
  void saved(const std::string& prefix);
  // Paths and times (seconds since 1970), oldest first.
  const std::vector<std::pair<std::string, double>>& last_checkpoints() const { return last_; }
  void set_last_checkpoints(std::vector<std::pair<std::string, double>> last) { last_ = std::move(last); }

 private:
  CheckpointHistoryOptions options_;
  double keep_next_after_;
  std::vector<std::pair<std::string, double>> last_;
};

}  // namespace vf
