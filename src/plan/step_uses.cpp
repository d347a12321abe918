#include "plan/step_uses.h"

#include <algorithm>

namespace vf::plan {

StepUses::StepUses(const Segment& segment)
    : segment_(segment), producer_(segment.slots.size(), -1), uses_(segment.slots.size(), 0) {
  for (int i = 0; i < static_cast<int>(segment.steps.size()); ++i) {
    const Step& step = segment.steps[static_cast<size_t>(i)];
    add_reads(step);
    for (uint32_t o = 0; o < step.num_outputs; ++o)
      if (const uint32_t slot = segment.args[step.first_arg + step.num_inputs + o]; slot != kNone) producer_[slot] = i;
    for (uint32_t w = 0; w < step.num_writes; ++w) writes_[segment.writes[step.first_write + w].variable].push_back(i);
    for (uint32_t w = 0; w < step.num_inner_writes; ++w)
      writes_[segment.inner_writes[step.first_inner_write + w]].push_back(i);
  }
  for (const Result& r : segment.results) ++uses_[r.slot];
  for (size_t i = 0; i < segment.slots.size(); ++i)
    if (segment.slots[i].escapes) ++uses_[i];
}

void StepUses::count(const Step& step, int n) {
  for (uint32_t a = 0; a < step.num_inputs; ++a)
    if (const uint32_t slot = segment_.args[step.first_arg + a]; slot != kNone) uses_[slot] += n;
}

void StepUses::remove_reads(const Step& step) { count(step, -1); }
void StepUses::add_reads(const Step& step) { count(step, 1); }

bool StepUses::written_between(uint32_t variable, int first, int last) const {
  const auto it = writes_.find(variable);
  if (it == writes_.end()) return false;
  const auto next = std::upper_bound(it->second.begin(), it->second.end(), first);
  return next != it->second.end() && *next < last;
}

bool StepUses::reads_what_is_written_before(int i, int last) const {
  const Step& step = segment_.steps[static_cast<size_t>(i)];
  for (uint32_t a = 0; a < step.num_inputs; ++a) {
    const uint32_t slot = segment_.args[step.first_arg + a];
    // Pins of an earlier segment are held as long as the run lasts.
    if (slot != kNone && segment_.slots[slot].memory == Memory::Pin &&
        written_between(segment_.slots[slot].index, i, last))
      return true;
  }
  return false;
}

}  // namespace vf::plan
