#pragma once
// The file PREFIX.resources beside a checkpoint (docs/formats/resources.md).
#include <string>
#include <vector>

#include "base/env.h"
#include "varflow/kernel.h"

namespace vf::io {

std::string resources_path(const std::string& prefix);

// Written atomically.
void write_resources(Env& env, const std::string& path, const std::vector<ResourceState>& states);

// DataLoss where the file is damaged, Unimplemented where it is of a newer version.
std::vector<ResourceState> read_resources(Env& env, const std::string& path);

}  // namespace vf::io
