#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "plan/order.h"
#include "runtime/compiled_plan.h"
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
  VariableEntry& variable(const Node& node);
  void check_feed(const Output& output, const Tensor& value) const;
  void check_open() const;
  void close() { closed_.cancel(); }
  Representations& representations() { return representations_; }
  ResourceStore& resources() { return resources_; }

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
