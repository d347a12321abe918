#include "plan/fuse.h"

#include <algorithm>
#include <map>
#include <queue>

#include "plan/step_uses.h"
#include "plan/tape.h"

namespace vf::plan {
namespace {

// Longer chains are cut: their constants would fill the cache that the tiles need.
constexpr size_t kMostInstructions = 4096;

class Fuser {
 public:
  Fuser(Segment& segment, std::vector<InPlace>& in_place, std::vector<size_t>& scratch)
      : s_(segment),
        in_place_(in_place),
        scratch_(scratch),
        uses_(segment),
        keep_(segment.steps.size(), 1),
        replaced_(segment.steps.size(), 0) {}

  void run() {
    for (int root = static_cast<int>(s_.steps.size()) - 1; root >= 0; --root)
      if (keep_[at(root)] && loop_of(root)) grow(root);
    if (!changed_) return;
    std::erase_if(in_place_, [&](const InPlace& p) { return replaced_[at(p.step)] != 0; });
    in_place_.insert(in_place_.end(), added_.begin(), added_.end());
    keep_steps(s_, keep_, in_place_, scratch_);
  }

 private:
  static size_t at(int i) { return static_cast<size_t>(i); }
  const Step& step(int i) const { return s_.steps[at(i)]; }
  uint32_t input(const Step& step, int i) const { return s_.args[step.first_arg + static_cast<uint32_t>(i)]; }
  uint32_t output(const Step& step) const { return s_.args[step.first_arg + step.num_inputs]; }
  const ElementwiseLoop* loop_of(int i) const { return step(i).kernel ? step(i).kernel->elementwise() : nullptr; }
  static int operands(const ElementwiseLoop& loop) { return loop.unary ? 1 : 2; }

  // The steps that can run as one with `root`, which comes last of them.
  void grow(int root) {
    const ElementwiseLoop& last = *loop_of(root);
    if (last.elements == 0) return;
    std::vector<int> group;
    std::map<uint32_t, int> used;  // by slot: in the group
    std::priority_queue<int> next;
    const auto take = [&](int i) {
      group.push_back(i);
      const ElementwiseLoop& loop = *loop_of(i);
      for (int o = 0; o < operands(loop); ++o) {
        const uint32_t slot = input(step(i), loop.first_operand + o);
        const int from = uses_.producer(slot);
        if (used[slot]++ == 0 && from >= 0 && from < i) next.push(from);
      }
    };
    take(root);
    while (!next.empty() && group.size() < kMostInstructions) {
      const int i = next.top();  // all its users are decided
      next.pop();
      const ElementwiseLoop* loop = loop_of(i);
      if (!keep_[at(i)] || !loop || loop->elements != last.elements || step(i).num_writes > 0) continue;
      const uint32_t slot = output(step(i));
      if (slot == kNone || used[slot] != uses_.uses(slot) || uses_.reads_what_is_written_before(i, root)) continue;
      take(i);
    }
    if (group.size() < 2) return;
    std::sort(group.begin(), group.end());
    replace(root, group, used);
  }

  // Where the root writes a variable whose old value only this group reads: the slot of the write that takes the place
  // of the reads'. The reads are then needless.
  void read_in_place(int root, const std::map<uint32_t, int>& used, std::map<uint32_t, uint32_t>& instead,
                     std::vector<int>& reads) const {
    const Step& r = step(root);
    if (r.num_writes != 1) return;
    const Write& write = s_.writes[r.first_write];
    for (const auto& [slot, n] : used) {
      const Slot& info = s_.slots[slot];
      if (info.memory != Memory::Pin || info.index != write.variable || uses_.producer(slot) < 0) continue;
      if (step(uses_.producer(slot)).num_outputs != 1) continue;  // the read is needed for another layout
      if (n != uses_.uses(slot) || !(info.shape == write.shape) ||
          uses_.written_between(write.variable, uses_.producer(slot), root))
        continue;
      instead[slot] = write.slot;
      reads.push_back(uses_.producer(slot));
    }
  }

  void replace(int root, const std::vector<int>& group, const std::map<uint32_t, int>& used) {
    std::map<uint32_t, uint32_t> instead;
    std::vector<int> reads;
    read_in_place(root, used, instead, reads);
    Step& r = s_.steps[at(root)];
    if (r.num_writes == 1) {
      // Another pin of the variable that the root writes would cost a copy of it.
      for (const auto& [slot, n] : used)
        if (s_.slots[slot].memory == Memory::Pin && s_.slots[slot].index == s_.writes[r.first_write].variable &&
            instead.count(slot) == 0)
          return;
    }

    Tape tape;
    tape.elements = loop_of(root)->elements;
    std::vector<uint32_t> inputs;
    std::map<uint32_t, uint16_t> input_of;
    const auto add_input = [&](uint32_t slot) {
      const auto [it, fresh] = input_of.try_emplace(slot, static_cast<uint16_t>(inputs.size()));
      if (fresh) inputs.push_back(slot);
      return it->second;
    };
    std::map<uint32_t, uint16_t> register_of;  // of slots that live now
    std::map<uint32_t, int> left = used;
    std::vector<uint16_t> free;
    for (uint16_t i = Tape::kMostRegisters; i-- > 0;) free.push_back(i);
    std::vector<uint32_t> whole;  // inputs that the result may overwrite
    // What only copies is left out: the step before it makes what it copies.
    const int last = loop_of(root)->copies ? group[group.size() - 2] : root;
    for (const int i : group) {
      if (i > last) break;
      const ElementwiseLoop& loop = *loop_of(i);
      TapeInstruction instruction{.unary = loop.unary, .binary = loop.binary, .a = {}, .b = {}, .result = {}};
      std::vector<uint16_t> dying;
      for (int o = 0; o < operands(loop); ++o) {
        const uint32_t slot = input(step(i), loop.first_operand + o);
        TapePlace& place = o == 0 ? instruction.a : instruction.b;
        place.bytes = static_cast<uint32_t>(loop.operand_bytes);
        place.single = o == 0 ? loop.single_a : loop.single_b;
        if (const auto it = register_of.find(slot); it != register_of.end()) {
          place.kind = TapePlace::Register;
          place.index = it->second;
          if (--left[slot] == 0) {
            dying.push_back(it->second);
            register_of.erase(it);
          }
        } else {
          const auto other = instead.find(slot);
          place.index = add_input(other == instead.end() ? slot : other->second);
          if (!place.single && other == instead.end()) whole.push_back(slot);
          tape.most_bytes = std::max(tape.most_bytes, place.bytes);
        }
      }
      instruction.result.bytes = static_cast<uint32_t>(loop.result_bytes);
      tape.most_bytes = std::max({tape.most_bytes, instruction.a.bytes, instruction.result.bytes});
      const bool over_operand = loop.result_bytes == loop.operand_bytes;
      if (over_operand) free.insert(free.end(), dying.begin(), dying.end());
      if (i == last) {
        instruction.result.kind = TapePlace::Result;
      } else {
        if (free.empty()) return;
        instruction.result.kind = TapePlace::Register;
        instruction.result.index = free.back();
        free.pop_back();
        register_of[output(step(i))] = instruction.result.index;
      }
      if (!over_operand) free.insert(free.end(), dying.begin(), dying.end());
      tape.instructions.push_back(instruction);
    }

    uint32_t result = kNone;
    if (r.num_writes == 1) {
      tape.result_variable = add_input(s_.writes[r.first_write].slot);
      if (!reads.empty()) s_.writes[r.first_write].access = Access::Update;
    } else {
      result = output(r);
    }
    replaced_[at(root)] = 1;
    const size_t result_bytes = loop_of(root)->result_bytes;
    const int64_t elements = tape.elements;
    for (const uint32_t slot : whole)
      if (result != kNone && s_.slots[slot].bytes == static_cast<size_t>(elements) * result_bytes)
        added_.push_back({root, slot, result});
    r.kernel = tape_kernel(std::move(tape), s_.threads);
    r.first_arg = static_cast<uint32_t>(s_.args.size());
    r.num_inputs = static_cast<uint32_t>(inputs.size());
    s_.args.insert(s_.args.end(), inputs.begin(), inputs.end());
    for (uint32_t o = 0; o < r.num_outputs; ++o) s_.args.push_back(result);
    for (const int i : group)
      if (i != root) keep_[at(i)] = 0;
    for (const int i : reads) keep_[at(i)] = 0;
    changed_ = true;
  }

  Segment& s_;
  std::vector<InPlace>& in_place_;
  std::vector<size_t>& scratch_;
  const StepUses uses_;
  std::vector<char> keep_;      // by step: not part of another one
  std::vector<char> replaced_;  // by step: has another kernel
  std::vector<InPlace> added_;
  bool changed_ = false;
};

}  // namespace

void fuse(Segment& segment, std::vector<InPlace>& in_place, std::vector<size_t>& scratch) {
  Fuser(segment, in_place, scratch).run();
}

}  // namespace vf::plan
