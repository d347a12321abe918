#pragma once
// The text form of CheckpointState: what the file "checkpoint" holds.
#include <optional>
#include <string>
#include <string_view>

#include "varflow/checkpoint.h"

namespace vf::io {

// Takes any layout that text-format protocol buffers allow (comments, either quotes, adjacent strings, lists).
// nullopt where it is no CheckpointState. `newest` is empty where it is not given.
std::optional<CheckpointState> parse_checkpoint_state(std::string_view text);
std::string format_checkpoint_state(const CheckpointState& state);

}  // namespace vf::io
