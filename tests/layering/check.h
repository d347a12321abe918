#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layering/rules.h"

namespace layering {

// What is wrong with one file, one line each: "src/cpu/tape.cpp:7: cpu may not include graph/node.h ...".
// `path` is relative to the root of the sources, with forward slashes.
std::vector<std::string> check_file(const Rules& rules, const std::string& path, std::string_view text);

// The same for every .h and .cpp file below the folders of our own code in `root`.
std::vector<std::string> check_tree(const Rules& rules, const std::filesystem::path& root);

}  // namespace layering
