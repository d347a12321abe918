#include "runtime/executor.h"

#include <algorithm>

#include "tensor/elements.h"

namespace vf::runtime {

using plan::Memory;
using plan::Segment;
using plan::Slot;
using plan::Step;

FramePool::FramePool(const plan::Segment& segment, std::span<VariableEntry* const> variables, Representations& store)
    : segment_(segment) {
  for (const plan::Packed& p : segment.representations)
    representations_.push_back(store.of(variables[p.variable], p.layout));
}

std::unique_ptr<Frame> FramePool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto frame = std::move(free_.back());
      free_.pop_back();
      return frame;
    }
  }
  return make();
}

void FramePool::give(std::unique_ptr<Frame> frame) {
  for (Tensor& t : frame->made) t = Tensor();
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(frame));
}

std::unique_ptr<Frame> FramePool::make() const {
  auto frame = std::make_unique<Frame>();
  frame->slots.assign(segment_.slots.size(), nullptr);
  frame->pins.resize(segment_.slots.size());
  frame->representations = representations_;
  if (segment_.arena_bytes) frame->arena = BufferRef(Buffer::allocate(segment_.arena_bytes));
  size_t most_writes = 0;
  for (const Step& s : segment_.steps) most_writes = std::max<size_t>(most_writes, s.num_writes);
  frame->writes.reserve(most_writes);
  for (uint32_t i = 0; i < segment_.slots.size(); ++i) {
    const Slot& slot = segment_.slots[i];
    if (slot.memory == Memory::Made) frame->made.resize(std::max<size_t>(frame->made.size(), slot.index + 1));
    if (slot.memory == Memory::Arena && slot.first_step >= 0)
      frame->slots[i] = static_cast<char*>(frame->arena->data()) + slot.offset;
    if (slot.memory == Memory::Constant) frame->slots[i] = const_cast<void*>(segment_.constants[slot.index].raw());
    if (slot.memory == Memory::Owned) {
      frame->owned.emplace_back(i, Tensor(slot.dtype, slot.shape));
      frame->slots[i] = frame->owned.back().second.raw();
    }
  }
  return frame;
}

namespace {

[[noreturn]] void blame(const Step& step, const Error& e) {
  if (!e.node().empty()) throw e;
  throw Error(e.code(), step.node->type(), step.node->name(), e.what());
}

void read_variable(const Segment& segment, const Step& step, Frame& frame, std::vector<BufferRef>& pins,
                   const RunArguments& arguments) {
  const VariableEntry& entry = *arguments.variables[step.variable];
  const uint32_t* slots = segment.args.data() + step.first_arg;
  uint64_t version = 0;
  BufferRef value = entry.pin(segment.slots[*slots].shape, &version);
  if (!value) throw Error(Code::FailedPrecondition, "Attempting to use uninitialized value " + entry.name());
  // Packed ones first: the value itself comes last, if at all, and is handed over.
  for (uint32_t o = step.num_outputs; o-- > 0;) {
    const uint32_t representation = segment.slots[slots[o]].representation;
    pins[slots[o]] = representation == plan::kNone ? std::move(value)
                                                   : frame.representations[representation]->acquire(version, value);
    frame.slots[slots[o]] = pins[slots[o]]->data();
  }
}

// Variables are locked in the order of their addresses, so that two steps never wait for each other.
void open_writes(const Segment& segment, const Step& step, Frame& frame, const RunArguments& arguments) {
  const plan::Write* first = &segment.writes[step.first_write];
  const auto open = [&](const plan::Write& w) {
    VariableEntry& entry = *arguments.variables[w.variable];
    if (w.access == Access::Peek) {
      frame.slots[w.slot] = entry.initialized() ? &entry : nullptr;
      return;
    }
    frame.writes.emplace_back(entry, w.access, w.shape);
    frame.slots[w.slot] = frame.writes.back().data();
  };
  if (step.num_writes == 1) return open(*first);
  uint32_t order[16];
  const uint32_t n = step.num_writes;
  if (n > 16) throw Error(Code::Unimplemented, "an op that writes more than 16 variables");
  for (uint32_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order, order + n, [&](uint32_t a, uint32_t b) {
    return arguments.variables[first[a].variable] < arguments.variables[first[b].variable];
  });
  for (uint32_t i = 0; i < n; ++i) {
    if (i > 0 && first[order[i]].variable == first[order[i - 1]].variable)
      throw Error(Code::InvalidArgument, "writes the variable " +
                                             arguments.variables[first[order[i]].variable]->name() +
                                             " through two of its inputs");
    open(first[order[i]]);
  }
}

void take_made(const Segment& segment, const Step& step, Frame& frame, uint32_t output) {
  const uint32_t slot = segment.args[step.first_arg + step.num_inputs + output];
  if (slot == plan::kNone || segment.slots[slot].memory != Memory::Made) return;
  const Tensor& value = frame.made[output];
  if (value.dtype() != segment.slots[slot].dtype)
    throw Error(Code::Internal, "output " + std::to_string(output) + " was not made, or has another dtype");
  frame.slots[slot] = const_cast<void*>(value.raw());
}

void run_step(const Segment& segment, const Step& step, Frame& frame, std::vector<BufferRef>& pins,
              const RunArguments& arguments) {
  if (!step.kernel) {
    read_variable(segment, step, frame, pins, arguments);
  } else {
    StepRun run(frame.slots.data(), segment.args.data() + step.first_arg, step.num_inputs,
                frame.arena ? static_cast<char*>(frame.arena->data()) + step.scratch_offset : nullptr,
                arguments.cancellation, frame.made.data());
    run.around = &arguments;
    if (step.num_writes == 0) {
      step.kernel->run(run);
    } else {
      open_writes(segment, step, frame, arguments);
      step.kernel->run(run);
      for (WriteHandle& w : frame.writes) w.commit();
      frame.writes.clear();
    }
  }
  for (size_t o = 0; o < frame.made.size() && &step == &segment.steps.back(); ++o)
    take_made(segment, step, frame, static_cast<uint32_t>(o));
  for (uint32_t r = 0; r < step.num_releases; ++r) pins[segment.releases[step.first_release + r]].reset();
}

void take_results(const Segment& segment, const Frame& frame, const RunArguments& arguments) {
  for (size_t i = 0; i < segment.results.size(); ++i) {
    const plan::Result& r = segment.results[i];
    const Slot& slot = segment.slots[r.slot];
    const bool in_place = slot.memory == Memory::Fetch && slot.index == i;
    const void* from = slot.memory == Memory::Feed ? arguments.feeds.data(slot.index) : frame.slots[r.slot];
    if (arguments.result_memory) {
      if (!in_place) copy_elements(r.dtype, from, arguments.result_memory[i], r.shape.num_elements());
      continue;
    }
    Tensor& result = arguments.results[i];
    if (in_place) {
      if (!(result.shape() == r.shape)) result = result.reshaped(r.shape);
      continue;
    }
    result = Tensor(r.dtype, r.shape);
    copy_elements(r.dtype, from, result.raw(), result.num_elements());
  }
}

}  // namespace

void run_segment(const Segment& segment, Frame& frame, std::vector<BufferRef>& pins, const Frame* outer,
                 const RunArguments& arguments) {
  if (outer) {
    std::copy(outer->slots.begin(), outer->slots.end(), frame.slots.begin());
    if (pins.size() < segment.slots.size()) pins.resize(segment.slots.size());
  }
  for (uint32_t i : segment.bound_slots) {
    const Slot& slot = segment.slots[i];
    if (slot.memory == Memory::Feed) {
      frame.slots[i] = const_cast<void*>(arguments.feeds.data(slot.index));
    } else if (arguments.result_memory) {
      frame.slots[i] = arguments.result_memory[slot.index];
    } else {
      Tensor& result = arguments.results[slot.index];
      result = Tensor(slot.dtype, slot.shape);
      frame.slots[i] = result.raw();
    }
  }
  const Step* current = nullptr;
  try {
    for (const Step& step : segment.steps) {
      current = &step;
      arguments.cancellation->check();
      if (arguments.observer) arguments.observer->before(step);
      run_step(segment, step, frame, pins, arguments);
      if (arguments.observer) arguments.observer->after(segment, step, frame.slots.data());
    }
  } catch (const Error& e) {
    frame.writes.clear();
    if (e.code() == Code::Cancelled || e.code() == Code::DeadlineExceeded) throw;
    blame(*current, e);
  } catch (...) {
    frame.writes.clear();
    throw;
  }
  take_results(segment, frame, arguments);
}

}  // namespace vf::runtime
