#pragma once
#include <map>
#include <vector>

#include "plan/segment.h"

namespace vf::plan {

// Who makes and who reads each slot of a segment whose memory is not placed yet.
class StepUses {
 public:
  explicit StepUses(const Segment& segment);

  int producer(uint32_t slot) const { return producer_[slot]; }  // a step; -1: none
  int uses(uint32_t slot) const { return uses_[slot]; }          // inputs of steps, and what the segment gives on
  // `step` reads other slots from now on: between the two calls its arguments change.
  void remove_reads(const Step& step);
  void add_reads(const Step& step);

  bool written_between(uint32_t variable, int first, int last) const;
  // Whether step i reads a version of a variable that a step before `last` writes: later it would cost a copy.
  bool reads_what_is_written_before(int i, int last) const;

 private:
  void count(const Step& step, int n);

  const Segment& segment_;
  std::vector<int> producer_;
  std::vector<int> uses_;
  std::map<uint32_t, std::vector<int>> writes_;  // steps by variable
};

}  // namespace vf::plan
