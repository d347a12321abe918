#pragma once
// Random programs for property tests: the same seed gives the same program.
#include <map>
#include <random>
#include <vector>

#include "runtime/program.h"

namespace vf::testing {

class RandomProgram {
 public:
  explicit RandomProgram(uint64_t seed);

  // Adds a few statements.
  void grow();
  Request request();
  // Fresh values for each statement that is fed.
  std::map<int, Values> feeds();
  const Program& program() const { return program_; }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  Values values(const std::vector<int>& shape);
  template <class Accept>
  int pick(Accept accept);
  int add(Statement s, const std::vector<int>& shape);
  int constant(const std::vector<int>& shape);
  bool statement();
  bool holds_gradient(int statement) const;

  std::mt19937_64 random_;
  Program program_;
  std::vector<std::vector<int>> shapes_;  // of each statement
};

}  // namespace vf::testing
