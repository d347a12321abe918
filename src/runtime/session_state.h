#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/parallel.h"
#include "plan/order.h"
#include "runtime/compiled_plan.h"
#include "runtime/observers.h"
#include "runtime/resource_store.h"
#include "runtime/variable_store.h"
#include "varflow/session.h"

namespace vf::runtime {

// What tests may change: the order of planning, delays between steps.
struct PlanHooks {
  bool shuffle = false;  // plan in another legal order, drawn from `seed`
  uint64_t seed = 0;
  bool order_rule = true;  // false: only data and control edges order
  StepObserver* observer = nullptr;
  bool fuse = true;
};

// Everything that a session's runs share.
class SessionState {
 public:
  SessionState(Graph& graph, SessionOptions options);

  std::shared_ptr<CompiledPlan> plan(const Fetches& fetches, const std::vector<Output>& feeds);
  std::vector<Tensor> run(CompiledPlan& plan, std::span<const Tensor> feeds, const Cancellation* cancellation);
  // InvalidArgument where a part is not of this graph.
  plan::Signature signature(const Fetches& fetches, const std::vector<Output>& feeds) const;
  // A plan that the session does not keep.
  std::shared_ptr<CompiledPlan> compile(const plan::Signature& signature);
  VariableEntry& variable(const Node& node);
  void check_feed(const Output& output, const Tensor& value) const;
  void check_open() const;
  void close() { closed_.cancel(); }
  Representations& representations() { return representations_; }
  ResourceStore& resources() { return resources_; }

  // Calls run(threads, stop, observer) with what the session's options say of a run.
  template <class Run>
  void observed(const Cancellation* cancellation, Run run) {
    check_open();
    Cancellation stop;
    stop.link(&closed_);
    if (cancellation) stop.link(cancellation);
    if (options.time_limit.count() > 0) stop.set_deadline(std::chrono::steady_clock::now() + options.time_limit);
    const int threads = available_threads(threads_);
    if (!options.trace && !options.find_nan) return run(threads, stop, hooks.observer);
    Tracer tracer(options.trace);
    NanFinder finder;
    ObserverPair both(tracer, finder);
    StepObserver* observer = &both;
    if (!options.trace) observer = &finder;
    if (!options.find_nan) observer = &tracer;
    run(threads, stop, observer);
  }

  Graph& graph;
  const SessionOptions options;
  PlanHooks hooks;

 private:
  struct KeyHash {
    size_t operator()(const std::vector<uint64_t>& key) const;
  };
  using Entry = std::pair<std::vector<uint64_t>, std::shared_ptr<CompiledPlan>>;

  const int threads_;
  VariableStore variables_;
  Representations representations_;
  ResourceStore resources_;
  Cancellation closed_;
  std::mutex mutex_;
  std::list<Entry> plans_;  // last used first
  std::unordered_map<std::vector<uint64_t>, std::list<Entry>::iterator, KeyHash> by_key_;
};

}  // namespace vf::runtime

namespace vf {
struct SessionAccess {
  static runtime::SessionState& state(Session& session) { return *session.state_; }
};
}  // namespace vf
