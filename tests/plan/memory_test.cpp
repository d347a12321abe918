// Where values lie: random segments are run on paper, each 64 bytes of the arena saying whose value it holds.
#include "plan/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vf::plan {
namespace {

constexpr size_t kUnit = 64;
constexpr uint32_t kGarbage = kNone - 1;

struct Planned {
  Segment segment;
  std::vector<InPlace> in_place;
  std::vector<size_t> scratch;
};

// Steps of up to three inputs, some the same, and up to two outputs of any size; any output may ask for any input's
// memory.
Planned random_segment(uint64_t seed) {
  std::mt19937_64 random(seed);
  Planned p;
  Segment& s = p.segment;
  const int steps = 2 + static_cast<int>(random() % 12);
  for (int i = 0; i < steps; ++i) {
    Step step;
    step.first_arg = static_cast<uint32_t>(s.args.size());
    const uint32_t before = static_cast<uint32_t>(s.slots.size());
    step.num_inputs = before == 0 ? 0 : static_cast<uint32_t>(random() % 4);
    for (uint32_t a = 0; a < step.num_inputs; ++a)  // mostly late ones, so that values die at different times
      s.args.push_back(random() % 3 == 0 ? static_cast<uint32_t>(random() % before) : before - 1);
    step.num_outputs = 1 + static_cast<uint32_t>(random() % 2);
    for (uint32_t o = 0; o < step.num_outputs; ++o) {
      Slot slot;
      slot.bytes = 1 + random() % (4 * kUnit);
      s.args.push_back(static_cast<uint32_t>(s.slots.size()));
      for (uint32_t a = 0; a < step.num_inputs; ++a)
        if (random() % 2 == 0) p.in_place.push_back({i, s.args[step.first_arg + a], s.args.back()});
      s.slots.push_back(slot);
    }
    p.scratch.push_back(random() % 3 == 0 ? random() % (3 * kUnit) : 0);
    s.steps.push_back(std::move(step));
  }
  for (int i = 0; i < 2; ++i) {
    Result result;
    result.slot = static_cast<uint32_t>(random() % s.slots.size());
    s.results.push_back(result);
  }
  return p;
}

// The units that `bytes` at `offset` take.
struct Units {
  size_t begin, end;
  Units(size_t offset, size_t bytes) : begin(offset / kUnit), end((offset + bytes + kUnit - 1) / kUnit) {}
  bool overlap(const Units& other) const { return begin < other.end && other.begin < end; }
};

// Runs the steps; counts the outputs that took an input's memory.
int run_on_paper(const Planned& p) {
  const Segment& s = p.segment;
  std::vector<uint32_t> arena(s.arena_bytes / kUnit, kGarbage);
  const auto units = [&](uint32_t slot) { return Units(s.slots[slot].offset, s.slots[slot].bytes); };
  const auto holds = [&](uint32_t slot) {
    const Units u = units(slot);
    return u.end <= arena.size() &&
           std::all_of(arena.begin() + static_cast<int64_t>(u.begin), arena.begin() + static_cast<int64_t>(u.end),
                       [&](uint32_t owner) { return owner == slot; });
  };
  const auto fill = [&](const Units& u, uint32_t owner) {
    for (size_t i = u.begin; i < u.end && i < arena.size(); ++i) arena[i] = owner;
  };
  int shared = 0;
  for (size_t i = 0; i < s.steps.size(); ++i) {
    const Step& step = s.steps[i];
    const uint32_t* inputs = s.args.data() + step.first_arg;
    const uint32_t* outputs = inputs + step.num_inputs;
    const Units scratch(step.scratch_offset, p.scratch[i]);
    for (uint32_t a = 0; a < step.num_inputs; ++a) {
      EXPECT_TRUE(holds(inputs[a])) << "step " << i << " reads slot " << inputs[a] << ", which was overwritten";
      if (p.scratch[i] > 0) {
        EXPECT_FALSE(scratch.overlap(units(inputs[a]))) << "step " << i;
      }
    }
    for (uint32_t o = 0; o < step.num_outputs; ++o) {
      EXPECT_LE(units(outputs[o]).end, arena.size());
      if (p.scratch[i] > 0) {
        EXPECT_FALSE(scratch.overlap(units(outputs[o]))) << "step " << i;
      }
      for (uint32_t other = 0; other < o; ++other)
        EXPECT_FALSE(units(outputs[o]).overlap(units(outputs[other]))) << "step " << i;
      int read_there = 0;  // inputs that the output overwrites
      for (uint32_t a = 0; a < step.num_inputs; ++a) {
        if (!units(outputs[o]).overlap(units(inputs[a]))) continue;
        ++read_there;
        const bool allowed = std::any_of(p.in_place.begin(), p.in_place.end(), [&](const InPlace& in) {
          return in.step == static_cast<int>(i) && in.input == inputs[a] && in.output == outputs[o];
        });
        EXPECT_TRUE(allowed) << "step " << i << " was not asked";
        EXPECT_EQ(s.slots[outputs[o]].offset, s.slots[inputs[a]].offset) << "step " << i;
      }
      EXPECT_LE(read_there, 1) << "step " << i << " reads what it overwrites a second time";
      shared += read_there;
    }
    if (p.scratch[i] > 0) fill(scratch, kGarbage);
    for (uint32_t o = 0; o < step.num_outputs; ++o) fill(units(outputs[o]), outputs[o]);
  }
  for (const Result& r : s.results) EXPECT_TRUE(holds(r.slot)) << "result in slot " << r.slot;
  return shared;
}

TEST(Memory, NoValueIsOverwrittenWhileItIsNeeded) {
  int shared = 0;
  size_t taken = 0;
  size_t all = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Planned p = random_segment(seed);
    place(p.segment, p.in_place, p.scratch);
    shared += run_on_paper(p);
    taken += p.segment.arena_bytes;
    for (const Slot& slot : p.segment.slots) all += (slot.bytes + kUnit - 1) / kUnit * kUnit;
    if (HasFailure()) return;  // one says enough
  }
  EXPECT_GT(shared, 2000) << "hardly anything was in place";
  EXPECT_LT(taken, all * 2 / 3) << "hardly any memory was used again";
}

}  // namespace
}  // namespace vf::plan
