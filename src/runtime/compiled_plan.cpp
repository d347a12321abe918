#include "runtime/compiled_plan.h"

#include <cstring>

#include "base/parallel.h"
#include "runtime/flush_denormals.h"

namespace vf::runtime {
namespace {

// After so many shapes the oldest specialisation makes room.
constexpr size_t kMostSpecialisations = 16;

// A plan's values are its own to keep; the key of what a boundary waits for is made without allocating in a run that
// has been here before.
void append(std::string& key, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.rank());
  key.append(reinterpret_cast<const char*>(&rank), sizeof rank);
  key.append(reinterpret_cast<const char*>(shape.dims().data()), shape.dims().size_bytes());
}

}  // namespace

CompiledPlan::CompiledPlan(std::shared_ptr<const plan::Program> program, const Entries& entries, Settings settings,
                           BodyPlans::Plans& made)
    : program_(std::move(program)),
      settings_(settings),
      bodies_(*program_, made, [&](const std::shared_ptr<const plan::Program>& body) {
        return std::shared_ptr<CompiledPlan>(new CompiledPlan(body, entries, settings, made));
      }) {
  for (const Node* v : program_->variables) variables_.push_back(&entries(*v));
}

std::shared_ptr<CompiledPlan> CompiledPlan::make(plan::Program program, const Entries& entries, Settings settings) {
  BodyPlans::Plans made;
  return std::shared_ptr<CompiledPlan>(
      new CompiledPlan(std::make_shared<const plan::Program>(std::move(program)), entries, settings, made));
}

std::vector<Tensor> CompiledPlan::run(std::span<const Tensor> feeds, int threads, const Cancellation& cancellation,
                                      StepObserver* observer) {
  std::vector<Tensor> results;
  results.reserve(settings_.num_results);
  results.resize(program_->fetches.size());
  std::shared_ptr<Prepared> at = find(feeds, threads);
  const FlushDenormals flush;
  run_from(std::move(at), threads, {feeds, variables_, &cancellation, observer, results});
  return results;
}

void CompiledPlan::run_from(std::shared_ptr<Prepared> at, int threads, const RunArguments& arguments) {
  // Gives frames back and lets pins go however the run ends.
  struct Frames {
    std::vector<std::pair<std::shared_ptr<Prepared>, std::unique_ptr<Frame>>> list;
    void give_back(std::pair<std::shared_ptr<Prepared>, std::unique_ptr<Frame>>& f) {
      f.first->frames.give(std::move(f.second));
    }
    ~Frames() {
      for (auto& f : list) give_back(f);
    }
  };
  struct Pins {
    std::vector<BufferRef>& pins;
    ~Pins() {
      for (BufferRef& p : pins) p.reset();
    }
  };
  if (!at->segment->boundary) {  // the common case, without a list
    std::unique_ptr<Frame> frame = at->frames.take();
    struct Give {
      Prepared& p;
      std::unique_ptr<Frame>& f;
      ~Give() { p.frames.give(std::move(f)); }
    } give{*at, frame};
    const Pins pins{frame->pins};
    run_segment(*at->segment, *frame, frame->pins, nullptr, arguments);
    return;
  }
  Frames frames;
  frames.list.emplace_back(at, at->frames.take());
  std::vector<BufferRef>& pins = frames.list.front().second->pins;
  const Pins release{pins};
  run_segment(*at->segment, *frames.list.back().second, pins, nullptr, arguments);
  while (at->segment->boundary) {
    at = continuation(at, *frames.list.back().second, arguments.feeds, threads);
    frames.list.emplace_back(at, at->frames.take());
    run_segment(*at->segment, *frames.list.back().second, pins, frames.list[frames.list.size() - 2].second.get(),
                arguments);
  }
}

size_t CompiledPlan::bytes() const { return bytes_.load(std::memory_order_relaxed) + bodies_.bytes(); }

bool CompiledPlan::matches(Specialisation& s, const FeedValues& feeds, int threads,
                           const std::vector<Shape>* variable_shapes) const {
  if (s.threads != threads) return false;
  for (size_t i = 0; i < feeds.size(); ++i)
    if (!(feeds.shape(i) == s.feed_shapes[i])) return false;
  if (variable_shapes) return *variable_shapes == s.variable_shapes;
  for (size_t v = 0; v < variables_.size(); ++v) {
    const uint64_t version = variables_[v]->shape_version();
    if (version == s.shape_versions[v]) continue;
    if (!(variables_[v]->shape() == s.variable_shapes[v])) return false;
    s.shape_versions[v] = version;
  }
  return true;
}

plan::Conditions CompiledPlan::conditions(const FeedValues& feeds, int threads) const {
  plan::Conditions c;
  for (size_t i = 0; i < feeds.size(); ++i) c.feed_shapes.push_back(feeds.shape(i));
  for (const VariableEntry* v : variables_) c.variable_shapes.push_back(v->shape());
  c.options = {.threads = threads, .deterministic = settings_.deterministic, .precision = settings_.precision};
  c.fuse = settings_.fuse;
  c.resources = settings_.resources;
  c.representations = true;
  c.blocks = &bodies_;
  return c;
}

size_t CompiledPlan::cost(const plan::Segment& s) const {
  size_t bytes = s.arena_bytes + s.steps.size() * 512 + s.slots.size() * sizeof(plan::Slot);
  for (const Tensor& t : s.constants) bytes += t.bytes();
  return bytes;
}

std::shared_ptr<Prepared> CompiledPlan::find(const FeedValues& feeds, int threads,
                                             const std::vector<Shape>* variable_shapes) {
  std::lock_guard lock(mutex_);
  for (auto it = specialisations_.begin(); it != specialisations_.end(); ++it) {
    if (!matches(*it, feeds, threads, variable_shapes)) continue;
    if (it != specialisations_.begin()) specialisations_.splice(specialisations_.begin(), specialisations_, it);
    return specialisations_.front().root;
  }
  Specialisation s;
  // Shapes that the variables only will have belong to no version of theirs.
  for (const VariableEntry* v : variables_)
    s.shape_versions.push_back(variable_shapes ? ~uint64_t{0} : v->shape_version());
  plan::Conditions c = conditions(feeds, threads);
  if (variable_shapes) c.variable_shapes = *variable_shapes;
  s.feed_shapes = c.feed_shapes;
  s.variable_shapes = c.variable_shapes;
  s.threads = threads;
  s.root = prepared(plan::specialise(*program_, c));
  bytes_ += cost(*s.root->segment);
  specialisations_.push_front(std::move(s));
  if (specialisations_.size() > kMostSpecialisations) {
    bytes_ -= cost(*specialisations_.back().root->segment);
    specialisations_.pop_back();
  }
  return specialisations_.front().root;
}

std::shared_ptr<Prepared> CompiledPlan::prepared(std::unique_ptr<plan::Segment> segment) const {
  return std::make_shared<Prepared>(std::move(segment), variables_, *settings_.representations);
}

std::vector<Tensor> boundary_values(const plan::Segment& segment, const Frame& frame) {
  std::vector<Tensor> values;
  for (uint32_t slot : segment.boundary->value_slots) {
    const plan::Slot& s = segment.slots[slot];
    if (!is_plain(s.dtype)) throw Error(Code::Unimplemented, "a shape that depends on strings");
    values.emplace_back(s.dtype, s.shape);
    std::memcpy(values.back().raw(), frame.slots[slot], s.bytes);
  }
  return values;
}

std::vector<Shape> boundary_shapes(const plan::Segment& segment, const Frame& frame) {
  std::vector<Shape> shapes;
  for (uint32_t slot : segment.boundary->shape_slots) shapes.push_back(frame.made[segment.slots[slot].index].shape());
  return shapes;
}

std::shared_ptr<Prepared> CompiledPlan::continuation(const std::shared_ptr<Prepared>& outer, const Frame& frame,
                                                     const FeedValues& feeds, int threads) {
  const plan::Segment& segment = *outer->segment;
  const plan::Boundary& b = *segment.boundary;
  thread_local std::string key;
  key.clear();
  for (uint32_t slot : b.value_slots) {
    const plan::Slot& s = segment.slots[slot];
    if (!is_plain(s.dtype)) throw Error(Code::Unimplemented, "a shape that depends on strings");
    key.append(static_cast<const char*>(frame.slots[slot]), s.bytes) += '\0';
  }
  for (uint32_t slot : b.shape_slots) append(key, frame.made[segment.slots[slot].index].shape());
  for (uint32_t v : b.shape_variables) append(key, variables_[v]->shape());
  std::lock_guard lock(outer->mutex);
  if (const auto it = outer->next.find(key); it != outer->next.end()) return it->second;
  const std::string own_key = key;  // what is made below may come here again
  auto made = prepared(plan::specialise_next(*program_, conditions(feeds, threads), segment,
                                             boundary_values(segment, frame), boundary_shapes(segment, frame)));
  if (outer->next.size() > kMostSpecialisations)
    outer->next.clear();  // values that keep changing: keep the newest only
  else
    outer->next[own_key] = made;
  return made;
}

}  // namespace vf::runtime
