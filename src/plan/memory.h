#pragma once
#include "plan/segment.h"

namespace vf::plan {

// Where one step may write an output over an input.
struct InPlace {
  int step;
  uint32_t input;  // slots
  uint32_t output;
};

// Leaves out the steps whose `keep` is 0; `in_place` and `scratch` are kept in step.
void keep_steps(Segment& segment, const std::vector<char>& keep, std::vector<InPlace>& in_place,
                std::vector<size_t>& scratch);

// Sets first and last step of each slot, lets outputs take the memory of inputs that die, gives arena slots and each
// step's scratch (bytes by step) an offset, and lists the pins that die with each step and the slots that each run
// binds. Greedy best fit by size.
void place(Segment& segment, const std::vector<InPlace>& in_place, const std::vector<size_t>& scratch);

}  // namespace vf::plan
