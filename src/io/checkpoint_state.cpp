#include <fnmatch.h>

#include <chrono>
#include <filesystem>

#include "base/atomic_file.h"
#include "io/bundle_index.h"
#include "io/checkpoint_state_text.h"
#include "io/resource_file.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

constexpr uint64_t kMostStateBytes = 16 << 20;

bool is_absolute(const std::string& path) { return path.starts_with('/'); }

std::string relative_to(const std::string& folder, const std::string& path) {
  namespace fs = std::filesystem;
  return fs::absolute(path).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal()).string();
}

// Files in the folder of `pattern` whose names match it.
std::vector<std::string> matching_files(Env& env, const std::string& pattern) {
  const std::string folder = folder_of(pattern);
  const std::string name_pattern = file_name_of(pattern);
  std::vector<std::string> paths;
  if (!env.exists(folder)) return paths;
  for (const std::string& name : env.list(folder))
    if (::fnmatch(name_pattern.c_str(), name.c_str(), 0) == 0)
      paths.push_back(pattern.find('/') == std::string::npos ? name : join_path(folder, name));
  return paths;
}

// STEM.data-?????-of-?????
bool is_data_file_of(const std::string& stem, const std::string& name) {
  if (!name.starts_with(stem)) return false;
  const std::string rest = name.substr(stem.size());
  return rest.size() == 20 && rest.starts_with(".data-") && rest.substr(11, 4) == "-of-";
}

double system_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::optional<CheckpointState> checkpoint_state(const std::string& folder, const std::string& state_file) {
  Env& env = Env::system();
  const std::string path = join_path(folder, state_file);
  if (!env.exists(path)) return std::nullopt;
  auto state = io::parse_checkpoint_state(read_file(env, path, kMostStateBytes));
  if (!state) return std::nullopt;
  if (state->newest.empty()) throw Error(Code::InvalidArgument, "Invalid checkpoint state loaded from " + folder);
  state->newest = join_path(folder, state->newest);
  for (std::string& one : state->all) one = join_path(folder, one);
  return state;
}

void update_checkpoint_state(const std::string& folder, CheckpointState state, bool save_relative_paths,
                             const std::string& state_file) {
  if (state_file.find('/') != std::string::npos)
    throw Error(Code::InvalidArgument, "the name of a state file must not contain path components: " + state_file);
  if (state.all.empty() || state.all.back() != state.newest) state.all.push_back(state.newest);
  if (join_path(folder, state_file) == state.newest)
    throw Error(Code::InvalidArgument, "Save path '" + state.newest +
                                           "' conflicts with path used for checkpoint state.  "
                                           "Please use a different save path.");
  const auto shorten = [&](std::string* path) {
    // A relative path stays what it is where the folder is absolute: it then is relative to the folder already.
    const bool both_relative = !is_absolute(*path) && !is_absolute(folder);
    if (both_relative || (is_absolute(*path) && save_relative_paths)) *path = relative_to(folder, *path);
  };
  shorten(&state.newest);
  for (std::string& path : state.all) shorten(&path);
  write_file_atomically(Env::system(), join_path(folder, state_file), io::format_checkpoint_state(state));
}

bool checkpoint_exists(const std::string& prefix) {
  Env& env = Env::system();
  if (env.exists(io::index_path(prefix))) return true;
  if (const auto there = env.info(prefix); there && !there->folder) return true;
  return !matching_files(env, io::index_path(prefix)).empty() || !matching_files(env, prefix).empty();
}

std::optional<std::string> latest_checkpoint(const std::string& folder, const std::string& state_file) {
  const auto state = checkpoint_state(folder, state_file);
  if (!state || !checkpoint_exists(state->newest)) return std::nullopt;
  return state->newest;
}

void remove_checkpoint(const std::string& prefix) {
  Env& env = Env::system();
  const std::string folder = folder_of(prefix);
  const std::string stem = file_name_of(prefix);
  if (!env.exists(folder)) return;
  const auto remove = [&](const std::string& path) {
    if (env.exists(path)) env.remove(path);
  };
  remove(io::index_path(prefix));
  for (const std::string& name : env.list(folder))
    if (is_data_file_of(stem, name)) env.remove(join_path(folder, name));
  remove(prefix + ".meta");
  remove(io::resources_path(prefix));
}

CheckpointHistory::CheckpointHistory(CheckpointHistoryOptions options) : options_(std::move(options)) {
  if (!options_.clock) options_.clock = system_seconds;
  keep_next_after_ = options_.clock() + options_.keep_every_hours * 3600;
}

void CheckpointHistory::saved(const std::string& prefix) {
  std::optional<std::string> too_many;
  if (options_.max_to_keep > 0) {
    std::erase_if(last_, [&](const auto& one) { return one.first == prefix; });
    last_.emplace_back(prefix, options_.clock());
    if (last_.size() > static_cast<size_t>(options_.max_to_keep)) {
      const auto oldest = last_.front();
      last_.erase(last_.begin());
      if (oldest.second > keep_next_after_) {
        keep_next_after_ += options_.keep_every_hours * 3600;
      } else {
        too_many = oldest.first;
      }
    }
  }
  CheckpointState state;
  state.newest = prefix;
  for (const auto& [path, time] : last_) state.all.push_back(path);
  update_checkpoint_state(folder_of(prefix), std::move(state), options_.save_relative_paths, options_.state_file);
  if (too_many) remove_checkpoint(*too_many);
}

}  // namespace vf
