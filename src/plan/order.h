#pragma once
// The order of effects: which orders of a program's items are legal, and which pairs TensorFlow leaves to chance.
#include <cstdint>
#include <string>
#include <vector>

#include "plan/program.h"

namespace vf::plan {

// Edges (from, to) that the order rule adds to data and control edges: each write waits for the accesses before it,
// each read for the write before it, in the program's order. Linear in the number of accesses.
std::vector<std::pair<int, int>> order_edges(const Program& program);

// The program with its items in another legal order, drawn from `seed`. `rule` false leaves the order edges out:
// what an engine without a defined order might do (tests prove that they would notice).
Program shuffled(const Program& program, uint64_t seed, bool rule);

// The program with item order[k] at place k, which must be a legal order.
Program reordered(const Program& program, const std::vector<int>& order);

// Two accesses to one variable, one of them a write, with no path of data and control edges between their nodes.
// A block is one access from outside; pairs inside its bodies are listed too.
struct Hazard {
  const Node* variable;
  const Node* first;  // runs first here
  const Node* second;
  bool first_writes;
  bool second_writes;
};
std::vector<Hazard> find_hazards(const Program& program);

}  // namespace vf::plan
