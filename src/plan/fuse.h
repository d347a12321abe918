#pragma once
#include <vector>

#include "plan/memory.h"
#include "plan/segment.h"

namespace vf::plan {

// Makes one step of each chain of elementwise steps whose inner results nobody else needs, an assign at its end
// included: it runs tile by tile (tape.h), with the bits of the single steps. An assign that reads the old value only
// in its own chain updates the variable in place, in one access. Before memory is placed; `in_place` and `scratch` are
// place()'s and are kept in step. Cost is linear in the steps, but for a logarithm.
void fuse(Segment& segment, std::vector<InPlace>& in_place, std::vector<size_t>& scratch);

}  // namespace vf::plan
