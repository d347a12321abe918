#include "runtime/suspended_run.h"

#include <algorithm>
#include <set>

#include "plan/order.h"
#include "runtime/flush_denormals.h"
#include "tensor/elements.h"

namespace vf::runtime {
namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error(Code::InvalidArgument, text); }

}  // namespace

SuspendedRun::SuspendedRun(std::shared_ptr<SessionState> state, const Fetches& fetches,
                           const std::vector<Output>& feeds)
    : state_(std::move(state)), signature_(state_->signature(fetches, feeds)) {
  if (!signature_.targets.empty()) refuse("partial_run() requires empty `target_list`.");
  if (fetches.empty()) refuse("Must specify at least one target to fetch or execute.");
  plan_ = state_->compile(signature_);
  program_ = plan_->program();
  fed_.resize(feeds.size());
  fetched_.resize(fetches.size(), 0);
  advance(bring_forward({}));
}

size_t SuspendedRun::feed_index(const Output& feed) const {
  const auto it = std::find(signature_.feeds.begin(), signature_.feeds.end(), feed);
  if (it == signature_.feeds.end())
    refuse("The feed " + (feed ? feed.name() : "(empty)") + " was not specified in partial_run_setup.");
  return static_cast<size_t>(it - signature_.feeds.begin());
}

size_t SuspendedRun::take_fetch(const Fetch& fetch, std::vector<char>& taken) const {
  if (fetch.node()) refuse("partial_run() requires empty `target_list`.");
  const auto& all = signature_.fetches;
  bool there = false;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!(all[i] == fetch.output())) continue;
    there = true;
    if (taken[i]) continue;
    taken[i] = 1;
    return i;
  }
  const std::string name = fetch.output() ? fetch.output().name() : "(empty)";
  refuse("The fetch " + name + (there ? " has already been fetched." : " was not specified in partial_run_setup."));
}

std::vector<Tensor> SuspendedRun::run(const Fetches& fetches, const Feeds& feeds) {
  std::lock_guard lock(mutex_);
  state_->check_open();
  if (over_) refuse("Must run 'setup' before performing partial runs!");
  std::vector<char> fed(fed_.size());
  for (size_t i = 0; i < fed.size(); ++i) fed[i] = fed_[i].valid();
  std::vector<size_t> given;
  for (const auto& [output, value] : feeds) {
    state_->check_feed(output, value);
    given.push_back(feed_index(output));
    if (fed[given.back()]) refuse("The feed " + output.name() + " has already been fed.");
    fed[given.back()] = 1;
  }
  std::vector<size_t> asked;
  std::vector<char> taken = fetched_;
  for (const Fetch& f : fetches) asked.push_back(take_fetch(f, taken));
  for (const Fetch& f : fetches) check_computable(f.output(), fed);

  for (size_t i = 0; i < feeds.size(); ++i) fed_[given[i]] = feeds[i].second.clone();
  try {
    advance(bring_forward(asked));
    std::vector<Tensor> results;
    for (size_t i : asked) results.push_back(value(i));
    fetched_ = taken;
    const auto all = [](const auto& list, auto test) { return std::all_of(list.begin(), list.end(), test); };
    over_ = all(fetched_, [](char c) { return c != 0; }) && all(fed_, [](const Tensor& t) { return t.valid(); });
    if (over_) pins_.clear();
    return results;
  } catch (...) {
    over_ = true;
    pins_.clear();
    throw;
  }
}

void SuspendedRun::check_computable(const Output& fetch, const std::vector<char>& fed) const {
  std::set<const Node*> seen;
  std::vector<const Node*> stack;
  const auto visit = [&](const Output& o) {
    const auto feed = std::find(signature_.feeds.begin(), signature_.feeds.end(), o);
    if (feed == signature_.feeds.end()) {
      if (seen.insert(o.node).second) stack.push_back(o.node);
    } else if (!fed[static_cast<size_t>(feed - signature_.feeds.begin())]) {
      refuse("Fetch " + o.name() + " can't be computed from the feeds that have been fed so far.");
    }
  };
  visit(fetch);
  while (!stack.empty()) {
    const Node* n = stack.back();
    stack.pop_back();
    for (const Output& in : n->inputs()) visit(in);
    for (const Node* c : n->control_inputs())
      if (seen.insert(c).second) stack.push_back(c);
  }
}

int SuspendedRun::bring_forward(const std::vector<size_t>& asked) {
  const int n = static_cast<int>(program_.items.size());
  std::vector<char> ready(static_cast<size_t>(n), 1);
  for (size_t i = 0; i < program_.fetches.size(); ++i) {
    const plan::Source& s = program_.fetches[i];
    const bool reads = s.kind == plan::Source::Value && program_.items[static_cast<size_t>(s.at)].read >= 0;
    if (reads && s.at >= done_) ready[static_cast<size_t>(s.at)] = 0;
  }
  for (size_t i : asked) {
    const plan::Source& s = program_.fetches[i];
    if (s.kind == plan::Source::Value) ready[static_cast<size_t>(s.at)] = 1;
  }
  std::vector<int> order;
  for (int i = 0; i < n; ++i) {
    char& r = ready[static_cast<size_t>(i)];
    if (i >= done_) {
      const plan::Item& item = program_.items[static_cast<size_t>(i)];
      for (const plan::Source& s : item.inputs) {
        if (s.kind == plan::Source::Value && !ready[static_cast<size_t>(s.at)]) r = 0;
        if (s.kind == plan::Source::Feed && !fed_[static_cast<size_t>(s.at)].valid()) r = 0;
      }
      for (int a : item.after)
        if (!ready[static_cast<size_t>(a)]) r = 0;
    }
    if (r) order.push_back(i);
  }
  const int end = static_cast<int>(order.size());
  for (int i = 0; i < n; ++i)
    if (!ready[static_cast<size_t>(i)]) order.push_back(i);
  program_ = plan::reordered(program_, order);
  return end;
}

void SuspendedRun::advance(int end) {
  if (end == done_) return;
  state_->observed(nullptr, [&](int threads, const Cancellation& stop, StepObserver* observer) {
    const FlushDenormals flush;
    const FeedValues feeds{std::span<const Tensor>(fed_)};
    plan::Conditions conditions = plan_->conditions(feeds, threads);
    for (size_t i = 0; i < fed_.size(); ++i)
      if (!fed_[i].valid()) conditions.feed_shapes[i] = Shape::unknown();
    conditions.items = end;
    // A last step may have decided shapes, which one more segment takes over.
    while (done_ < end || !stages_.back().prepared->segment->boundary->shape_slots.empty()) {
      Frame* before = stages_.empty() ? nullptr : stages_.back().frame.get();
      std::unique_ptr<plan::Segment> segment;
      if (before) {
        const plan::Segment& outer = *stages_.back().prepared->segment;
        segment = plan::specialise_next(program_, conditions, outer, boundary_values(outer, *before),
                                        boundary_shapes(outer, *before));
      } else {
        segment = plan::specialise(program_, conditions);
      }
      Stage stage;
      stage.prepared = plan_->prepared(std::move(segment));
      stage.frame = stage.prepared->frames.take();
      const plan::Segment& s = *stage.prepared->segment;
      pins_.resize(std::max(pins_.size(), s.slots.size()));
      run_segment(s, *stage.frame, pins_, before, {feeds, plan_->variables(), &stop, observer, {}});
      done_ = s.boundary->next_item;
      stages_.push_back(std::move(stage));
    }
  });
}

Tensor SuspendedRun::value(size_t fetch) const {
  const plan::Source& s = program_.fetches[fetch];
  if (s.kind == plan::Source::Feed) return fed_[static_cast<size_t>(s.at)].clone();
  const plan::Segment& segment = *stages_.back().prepared->segment;
  const plan::Known& k = segment.boundary->known[static_cast<size_t>(s.at)][static_cast<size_t>(s.index)];
  if (k.constant.valid()) return k.constant.clone().reshaped(k.shape);
  Tensor result(segment.slots[k.slot].dtype, k.shape);
  copy_elements(result.dtype(), stages_.back().frame->slots[k.slot], result.raw(), result.num_elements());
  return result;
}

}  // namespace vf::runtime
