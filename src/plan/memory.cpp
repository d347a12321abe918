#include "plan/memory.h"

#include <algorithm>
#include <numeric>

namespace vf::plan {
namespace {

constexpr size_t kAlign = 64;

size_t rounded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

// A stretch of the arena that is taken from one step to another.
struct Stretch {
  size_t bytes;
  int first;
  int last;
  size_t* offset;
};

// Blocks by size, largest first; each at the lowest gap among those that live at the same time.
size_t pack(std::vector<Stretch>& blocks) {
  std::stable_sort(blocks.begin(), blocks.end(), [](const Stretch& a, const Stretch& b) { return a.bytes > b.bytes; });
  // By step ranges: buckets keep the search for neighbours in time short on long plans.
  constexpr int kBucket = 256;
  int steps = 1;
  for (const Stretch& b : blocks) steps = std::max(steps, b.last + 1);
  std::vector<std::vector<const Stretch*>> buckets(static_cast<size_t>(steps / kBucket + 1));
  size_t total = 0;
  std::vector<std::pair<size_t, size_t>> taken;
  for (Stretch& b : blocks) {
    taken.clear();
    for (int k = b.first / kBucket; k <= b.last / kBucket; ++k)
      for (const Stretch* other : buckets[static_cast<size_t>(k)])
        if (other->first <= b.last && b.first <= other->last)
          taken.emplace_back(*other->offset, *other->offset + other->bytes);
    std::sort(taken.begin(), taken.end());
    size_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (begin >= at + b.bytes) break;
      at = std::max(at, end);
    }
    *b.offset = at;
    total = std::max(total, at + b.bytes);
    for (int k = b.first / kBucket; k <= b.last / kBucket; ++k) buckets[static_cast<size_t>(k)].push_back(&b);
  }
  return total;
}

void find_lifetimes(Segment& s) {
  for (int i = 0; i < static_cast<int>(s.steps.size()); ++i) {
    const Step& step = s.steps[static_cast<size_t>(i)];
    for (uint32_t a = 0; a < step.num_inputs + step.num_outputs; ++a) {
      const uint32_t slot = s.args[step.first_arg + a];
      if (slot == kNone) continue;
      Slot& info = s.slots[slot];
      if (info.first_step < 0) info.first_step = i;
      info.last_step = i;
    }
  }
  const int end = static_cast<int>(s.steps.size());
  for (Slot& slot : s.slots)
    if (slot.escapes) slot.last_step = end;
  for (const Result& r : s.results) s.slots[r.slot].last_step = end;
}

}  // namespace

void keep_steps(Segment& s, const std::vector<char>& keep, std::vector<InPlace>& in_place,
                std::vector<size_t>& scratch) {
  std::vector<int> new_index(s.steps.size(), -1);
  size_t next = 0;
  for (size_t i = 0; i < s.steps.size(); ++i) {
    if (!keep[i]) continue;
    new_index[i] = static_cast<int>(next);
    if (next != i) {
      s.steps[next] = std::move(s.steps[i]);
      scratch[next] = scratch[i];
    }
    ++next;
  }
  s.steps.resize(next);
  scratch.resize(next);
  std::erase_if(in_place, [&](InPlace& p) {
    p.step = new_index[static_cast<size_t>(p.step)];
    return p.step < 0;
  });
}

void place(Segment& s, const std::vector<InPlace>& in_place, const std::vector<size_t>& scratch) {
  find_lifetimes(s);
  std::vector<uint32_t> root(s.slots.size());  // the slot whose memory a slot has
  std::iota(root.begin(), root.end(), 0U);
  for (const InPlace& p : in_place) {
    const uint32_t from = root[p.input];
    if (s.slots[from].memory != Memory::Arena || s.slots[p.output].memory != Memory::Arena) continue;
    if (s.slots[from].last_step != p.step || rounded(s.slots[from].bytes) < s.slots[p.output].bytes) continue;
    if (root[p.output] != p.output || from == p.output) continue;
    // Another input with the same memory would be overwritten while it is read.
    const Step& step = s.steps[static_cast<size_t>(p.step)];
    int uses = 0;
    for (uint32_t a = 0; a < step.num_inputs; ++a) {
      const uint32_t slot = s.args[step.first_arg + a];
      if (slot != kNone && root[slot] == from) ++uses;
    }
    bool taken = false;  // by another output of this step
    for (uint32_t a = 0; a < step.num_outputs; ++a) {
      const uint32_t slot = s.args[step.first_arg + step.num_inputs + a];
      if (slot != kNone && slot != p.output && root[slot] == from) taken = true;
    }
    if (uses != 1 || taken) continue;
    root[p.output] = from;
    s.slots[from].last_step = s.slots[p.output].last_step;
  }
  std::vector<Stretch> blocks;
  for (uint32_t i = 0; i < s.slots.size(); ++i) {
    Slot& slot = s.slots[i];
    if (slot.memory == Memory::Arena && root[i] == i && slot.first_step >= 0)
      blocks.push_back({rounded(std::max<size_t>(slot.bytes, 1)), slot.first_step, slot.last_step, &slot.offset});
  }
  for (int i = 0; i < static_cast<int>(s.steps.size()); ++i)
    if (scratch[static_cast<size_t>(i)] > 0)
      blocks.push_back(
          {rounded(scratch[static_cast<size_t>(i)]), i, i, &s.steps[static_cast<size_t>(i)].scratch_offset});
  s.arena_bytes = pack(blocks);
  for (uint32_t i = 0; i < s.slots.size(); ++i)
    if (root[i] != i) s.slots[i].offset = s.slots[root[i]].offset;

  for (uint32_t i = 0; i < s.slots.size(); ++i)
    if (s.slots[i].memory == Memory::Feed || s.slots[i].memory == Memory::Fetch) s.bound_slots.push_back(i);

  std::vector<std::vector<uint32_t>> dying(s.steps.size());
  for (uint32_t i = 0; i < s.slots.size(); ++i) {
    const Slot& slot = s.slots[i];
    const bool pin = slot.memory == Memory::Pin || (slot.memory == Memory::Outer && slot.index != kNone);
    if (pin && slot.last_step >= 0 && slot.last_step < static_cast<int>(s.steps.size()))
      dying[static_cast<size_t>(slot.last_step)].push_back(i);
  }
  for (size_t i = 0; i < s.steps.size(); ++i) {
    s.steps[i].first_release = static_cast<uint32_t>(s.releases.size());
    s.steps[i].num_releases = static_cast<uint32_t>(dying[i].size());
    s.releases.insert(s.releases.end(), dying[i].begin(), dying[i].end());
  }
}

}  // namespace vf::plan
