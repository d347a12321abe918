// The guide's code is that of a program that the tests build and run (tests/consumer).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace vf {
namespace {

// Lines without indentation, and without empty ones.
std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(std::string(VARFLOW_SOURCE_ROOT) + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (const size_t first = line.find_first_not_of(' '); first != std::string::npos)
      lines.push_back(line.substr(first));
  return lines;
}

TEST(AddingAnOp, ShowsCodeThatRuns) {
  const std::vector<std::string> guide = lines_of("/docs/adding-an-op.md");
  const std::vector<std::string> program = lines_of("/tests/consumer/own_op.cpp");
  std::vector<std::vector<std::string>> blocks;
  bool inside = false;
  for (const std::string& line : guide) {
    if (line == "```cpp") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().push_back(line);
    }
  }
  ASSERT_GE(blocks.size(), 3U);
  for (const std::vector<std::string>& block : blocks) {
    ASSERT_FALSE(block.empty());
    const auto at = std::search(program.begin(), program.end(), block.begin(), block.end());
    EXPECT_NE(at, program.end()) << "not in tests/consumer/own_op.cpp:\n" << block.front();
  }
}

}  // namespace
}  // namespace vf
