#pragma once
#include <vector>

#include "plan/memory.h"
#include "plan/segment.h"

namespace vf::plan {

// Lets kernels do the work of those whose results they read (Kernel::absorb), and leaves out steps that nobody reads
// any more. Before memory is placed; `in_place` and `scratch` are place()'s and are kept in step.
void absorb(Segment& segment, std::vector<InPlace>& in_place, std::vector<size_t>& scratch);

}  // namespace vf::plan
