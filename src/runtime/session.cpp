#include "varflow/session.h"

#include <utility>

#include "graph/reference.h"
#include "runtime/session_state.h"
#include "runtime/suspended_run.h"

namespace vf {

using runtime::SessionState;

struct Callable::Impl {
  std::shared_ptr<SessionState> state;
  std::shared_ptr<runtime::CompiledPlan> plan;
  Fetches fetches;
  std::vector<Output> feeds;
};

namespace {

// Results of fetched outputs, with an invalid tensor for each node that was only run. In place: the plan left room.
std::vector<Tensor> spread(const Fetches& fetches, std::vector<Tensor> values) {
  size_t next = values.size();
  values.resize(fetches.size());
  for (size_t i = fetches.size(); i-- > next;) {
    if (fetches[i].node()) continue;
    --next;
    if (next != i) values[i] = std::exchange(values[next], Tensor());
  }
  return values;
}

// The feeds of one run, apart. The vectors come from the thread's earlier runs, so that nothing is allocated; a run
// that starts another one (from an op that calls out) has its own.
class SplitFeeds {
 public:
  explicit SplitFeeds(const Feeds& feeds) {
    if (!pool().empty()) {
      lists_ = std::move(pool().back());
      pool().pop_back();
    }
    for (const auto& [output, value] : feeds) {
      lists_.outputs.push_back(output);
      lists_.values.push_back(value);
    }
  }
  ~SplitFeeds() {
    lists_.outputs.clear();
    lists_.values.clear();
    if (pool().size() < kMostFree) pool().push_back(std::move(lists_));
  }
  SplitFeeds(const SplitFeeds&) = delete;
  SplitFeeds& operator=(const SplitFeeds&) = delete;
  const std::vector<Output>& outputs() const { return lists_.outputs; }
  const std::vector<Tensor>& values() const { return lists_.values; }

 private:
  struct Lists {
    std::vector<Output> outputs;
    std::vector<Tensor> values;
  };
  static constexpr size_t kMostFree = 4;
  static std::vector<Lists>& pool() {
    thread_local std::vector<Lists> free = [] {
      std::vector<Lists> list;
      list.reserve(kMostFree);
      return list;
    }();
    return free;
  }
  Lists lists_;
};

std::vector<Tensor> run(SessionState& state, const Fetches& fetches, const Feeds& feeds,
                        const Cancellation* cancellation) {
  const SplitFeeds split(feeds);
  const auto plan = state.plan(fetches, split.outputs());
  for (const auto& [output, value] : feeds) state.check_feed(output, value);
  return spread(fetches, state.run(*plan, split.values(), cancellation));
}

const Tensor& initialized(const Node& variable, const Tensor& value) {
  if (value.valid()) return value;
  throw Error(Code::FailedPrecondition, variable.type(), variable.name(),
              "Attempting to use uninitialized value " + variable.name());
}

const Node& variable_node(const VariableName& name) {
  const Output& output = name.output();
  const Node* n = output ? variable_of(output) : nullptr;
  if (!n && output) n = live_variable(output);
  if (!n)
    throw Error(Code::InvalidArgument, (output ? output.name() : std::string("an empty output")) + " is no variable");
  return *n;
}

}  // namespace

Session::Session(Graph& graph, SessionOptions options)
    : state_(std::make_shared<SessionState>(graph, std::move(options))) {}

Session::~Session() = default;

std::vector<Tensor> Session::run(const Fetches& fetches, const Feeds& feeds) {
  return vf::run(*state_, fetches, feeds, nullptr);
}

Tensor Session::run(const Fetch& fetch, const Feeds& feeds) {
  return std::move(vf::run(*state_, Fetches{fetch}, feeds, nullptr)[0]);
}

std::vector<Tensor> Session::run(const Fetches& fetches, const Feeds& feeds, Cancellation& cancellation) {
  return vf::run(*state_, fetches, feeds, &cancellation);
}

Callable Session::make_callable(const Fetches& fetches, const std::vector<Output>& feeds) {
  auto impl = std::make_shared<Callable::Impl>();
  impl->state = state_;
  impl->plan = state_->plan(fetches, feeds);
  impl->fetches = fetches;
  impl->feeds = feeds;
  return Callable(std::move(impl));
}

std::vector<Tensor> Callable::operator()(const std::vector<Tensor>& feeds) const {
  if (feeds.size() != impl_->feeds.size())
    throw Error(Code::InvalidArgument, "a callable made with " + std::to_string(impl_->feeds.size()) +
                                           " feeds was called with " + std::to_string(feeds.size()));
  for (size_t i = 0; i < feeds.size(); ++i) impl_->state->check_feed(impl_->feeds[i], feeds[i]);
  return spread(impl_->fetches, impl_->state->run(*impl_->plan, feeds, nullptr));
}

PartialRun Session::partial_run_setup(const Fetches& fetches, const std::vector<Output>& feeds) {
  return PartialRun(std::make_shared<runtime::SuspendedRun>(state_, fetches, feeds));
}

std::vector<Tensor> PartialRun::run(const Fetches& fetches, const Feeds& feeds) { return impl_->run(fetches, feeds); }

std::vector<ResourceState> Session::save_resources() const {
  state_->check_open();
  return state_->resources().save();
}

void Session::restore_resources(const std::vector<ResourceState>& states) {
  state_->check_open();
  state_->resources().restore(states);
}

void Session::set(const std::vector<std::pair<VariableName, Tensor>>& values) {
  state_->check_open();
  std::vector<std::pair<runtime::VariableEntry*, Tensor>> replacements;
  for (const auto& [name, value] : values) {
    const Node& node = variable_node(name);
    runtime::VariableEntry& entry = state_->variable(node);
    if (value.dtype() != entry.dtype())
      throw Error(Code::InvalidArgument, node.type(), node.name(),
                  std::string("Trying to assign variable with wrong dtype. Expected ") + dtype_name(entry.dtype()) +
                      " got " + dtype_name(value.dtype()));
    if (!entry.shape().compatible(value.shape()))
      throw Error(Code::InvalidArgument, node.type(), node.name(),
                  "Trying to assign to variable with tensor with wrong shape. Expected " + entry.shape().str() +
                      " got " + value.shape().str());
    replacements.emplace_back(&entry, value.clone());
  }
  runtime::replace_all(std::move(replacements));
}

Tensor Session::get(const VariableName& variable) { return view(variable).clone(); }

std::vector<Tensor> Session::get(const std::vector<VariableName>& variables) {
  state_->check_open();
  std::vector<const Node*> nodes;
  std::vector<runtime::VariableEntry*> entries;
  for (const VariableName& v : variables) {
    nodes.push_back(&variable_node(v));
    entries.push_back(&state_->variable(*nodes.back()));
  }
  std::vector<Tensor> values = runtime::pin_all(entries);
  for (size_t i = 0; i < values.size(); ++i) values[i] = initialized(*nodes[i], values[i]).clone();
  return values;
}

Tensor Session::view(const VariableName& variable) {
  state_->check_open();
  const Node& node = variable_node(variable);
  return initialized(node, state_->variable(node).pin());
}

void Session::set_mask(const VariableName& variable, const Tensor& mask) {
  state_->check_open();
  state_->variable(variable_node(variable)).set_mask(mask);
}

void Session::clear_mask(const VariableName& variable) {
  state_->check_open();
  state_->variable(variable_node(variable)).clear_mask();
}

Tensor Session::mask(const VariableName& variable) {
  state_->check_open();
  return state_->variable(variable_node(variable)).mask().clone();
}

void Session::set_constraint(const VariableName& variable, Constraint constraint) {
  state_->check_open();
  state_->variable(variable_node(variable)).set_constraint(std::move(constraint));
}

void Session::clear_constraint(const VariableName& variable) {
  state_->check_open();
  state_->variable(variable_node(variable)).clear_constraint();
}

std::vector<Hazard> Session::hazards(const Fetches& fetches, const std::vector<Output>& feeds) {
  plan::Signature signature;
  signature.feeds = feeds;
  for (const Fetch& f : fetches) {
    if (f.node())
      signature.targets.push_back(f.node());
    else
      signature.fetches.push_back(f.output());
  }
  std::vector<Hazard> result;
  for (const plan::Hazard& h : plan::find_hazards(plan::make_program(signature)))
    result.push_back({h.variable->name(), h.first->name(), h.second->name(), h.first_writes, h.second_writes});
  return result;
}

void Session::close() { state_->close(); }

Graph& Session::graph() const { return state_->graph; }

}  // namespace vf
