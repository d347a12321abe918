#include "runtime/compiled_plan.h"

#include <cstring>

#include "base/parallel.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace vf::runtime {
namespace {

// After so many shapes the oldest specialisation makes room.
constexpr size_t kMostSpecialisations = 16;

// Denormals count as zero while a plan runs, as on TensorFlow's threads; the caller's mode comes back afterwards.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

std::string key_of(const std::vector<Tensor>& values) {
  std::string key;
  for (const Tensor& t : values) key.append(static_cast<const char*>(t.raw()), t.bytes()) += '\0';
  return key;
}

}  // namespace

std::vector<Tensor> CompiledPlan::run(std::span<const Tensor> feeds, int threads, const Cancellation& cancellation,
                                      StepObserver* observer) {
  std::vector<Tensor> results;
  results.reserve(settings_.num_results);
  results.resize(num_fetches_);
  std::shared_ptr<Prepared> at = find(feeds, threads);
  const FlushDenormals flush;
  const RunArguments arguments{feeds, variables_, &cancellation, observer, &results};

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
    return results;
  }
  Frames frames;
  frames.list.emplace_back(at, at->frames.take());
  std::vector<BufferRef>& pins = frames.list.front().second->pins;
  const Pins release{pins};
  run_segment(*at->segment, *frames.list.back().second, pins, nullptr, arguments);
  while (at->segment->boundary) {
    at = continuation(at, *frames.list.back().second, feeds, threads);
    frames.list.emplace_back(at, at->frames.take());
    run_segment(*at->segment, *frames.list.back().second, pins, frames.list[frames.list.size() - 2].second.get(),
                arguments);
  }
  return results;
}

bool CompiledPlan::matches(Specialisation& s, std::span<const Tensor> feeds, int threads) const {
  if (s.threads != threads) return false;
  for (size_t i = 0; i < feeds.size(); ++i)
    if (!(feeds[i].shape() == s.feed_shapes[i])) return false;
  for (size_t v = 0; v < variables_.size(); ++v) {
    const uint64_t version = variables_[v]->shape_version();
    if (version == s.shape_versions[v]) continue;
    if (!(variables_[v]->shape() == s.variable_shapes[v])) return false;
    s.shape_versions[v] = version;
  }
  return true;
}

plan::Conditions CompiledPlan::conditions(std::span<const Tensor> feeds, int threads) const {
  plan::Conditions c;
  for (const Tensor& f : feeds) c.feed_shapes.push_back(f.shape());
  for (const VariableEntry* v : variables_) c.variable_shapes.push_back(v->shape());
  c.threads = threads;
  c.deterministic = settings_.deterministic;
  c.resources = settings_.resources;
  return c;
}

size_t CompiledPlan::cost(const plan::Segment& s) const {
  size_t bytes = s.arena_bytes + s.steps.size() * 512 + s.slots.size() * sizeof(plan::Slot);
  for (const Tensor& t : s.constants) bytes += t.bytes();
  return bytes;
}

std::shared_ptr<Prepared> CompiledPlan::find(std::span<const Tensor> feeds, int threads) {
  std::lock_guard lock(mutex_);
  for (auto it = specialisations_.begin(); it != specialisations_.end(); ++it) {
    if (!matches(*it, feeds, threads)) continue;
    if (it != specialisations_.begin()) specialisations_.splice(specialisations_.begin(), specialisations_, it);
    return specialisations_.front().root;
  }
  Specialisation s;
  for (const VariableEntry* v : variables_) s.shape_versions.push_back(v->shape_version());
  const plan::Conditions c = conditions(feeds, threads);
  s.feed_shapes = c.feed_shapes;
  s.variable_shapes = c.variable_shapes;
  s.threads = threads;
  s.root = std::make_shared<Prepared>(plan::specialise(program_, c));
  bytes_ += cost(*s.root->segment);
  specialisations_.push_front(std::move(s));
  if (specialisations_.size() > kMostSpecialisations) {
    bytes_ -= cost(*specialisations_.back().root->segment);
    specialisations_.pop_back();
  }
  return specialisations_.front().root;
}

std::shared_ptr<Prepared> CompiledPlan::continuation(const std::shared_ptr<Prepared>& outer, const Frame& frame,
                                                     std::span<const Tensor> feeds, int threads) {
  const plan::Boundary& b = *outer->segment->boundary;
  std::vector<Tensor> values;
  for (uint32_t slot : b.value_slots) {
    const plan::Slot& s = outer->segment->slots[slot];
    Tensor value(s.dtype, s.shape);
    if (!is_plain(s.dtype)) throw Error(Code::Unimplemented, "a shape that depends on strings");
    std::memcpy(value.raw(), frame.slots[slot], value.bytes());
    values.push_back(std::move(value));
  }
  std::lock_guard lock(outer->mutex);
  auto& next = outer->next[key_of(values)];
  if (!next) {
    if (outer->next.size() > kMostSpecialisations) {  // values that keep changing: keep the newest only
      auto made = std::make_shared<Prepared>(
          plan::specialise_next(program_, conditions(feeds, threads), *outer->segment, values));
      outer->next.clear();
      return made;
    }
    next = std::make_shared<Prepared>(
        plan::specialise_next(program_, conditions(feeds, threads), *outer->segment, values));
  }
  return next;
}

}  // namespace vf::runtime
