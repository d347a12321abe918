#include "runtime/session_state.h"

#include <omp.h>

#include "graph/reference.h"

namespace vf::runtime {
namespace {

// Beyond so many plans the least recently used one goes, whatever its size.
constexpr size_t kMostPlans = 1024;

uint64_t code(const Output& o) { return static_cast<uint64_t>(o.node->id()) << 16 | static_cast<uint64_t>(o.index); }

constexpr uint64_t kNode = uint64_t{1} << 62;
constexpr uint64_t kFeed = uint64_t{1} << 63;

}  // namespace

SessionState::SessionState(Graph& g, SessionOptions o)
    : graph(g),
      options(std::move(o)),
      threads_(options.threads > 0 ? options.threads : omp_get_num_procs()),
      representations_(options.cache_limit) {}

size_t SessionState::KeyHash::operator()(const std::vector<uint64_t>& key) const {
  uint64_t h = key.size();
  for (uint64_t k : key) {
    h = (h ^ k) * 0x9E3779B97F4A7C15ULL;
    h ^= h >> 32;
  }
  return static_cast<size_t>(h);
}

void SessionState::check_open() const {
  if (closed_.cancelled()) throw Error(Code::FailedPrecondition, "Attempted to use a closed Session.");
}

plan::Signature SessionState::signature(const Fetches& fetches, const std::vector<Output>& feeds) const {
  check_open();
  plan::Signature signature;
  signature.feeds = feeds;
  for (const Fetch& f : fetches) {
    const Node* node = f.node() ? f.node() : f.output().node;
    if (!node) throw Error(Code::InvalidArgument, "a fetch is empty");
    if (&node->graph() != &graph)
      throw Error(Code::InvalidArgument, node->type(), node->name(), "is not an element of this graph");
    if (f.node())
      signature.targets.push_back(f.node());
    else
      signature.fetches.push_back(f.output());
  }
  for (const Output& f : feeds)
    if (!f.node || &f.graph() != &graph)
      throw Error(Code::InvalidArgument,
                  "Tensor " + (f.node ? f.name() : "(empty)") + " is not an element of this graph.");
  return signature;
}

std::shared_ptr<CompiledPlan> SessionState::compile(const plan::Signature& signature) {
  plan::Program program = plan::make_program(signature);
  if (hooks.shuffle) program = plan::shuffled(program, hooks.seed, hooks.order_rule);
  // Who looks at each step sees each node by itself.
  const bool fuse = hooks.fuse && !hooks.observer && !options.trace && !options.find_nan;
  return CompiledPlan::make(std::move(program), [this](const Node& v) -> VariableEntry& { return variable(v); },
                            {options.deterministic, options.precision, fuse, &resources_, &representations_,
                             signature.fetches.size() + signature.targets.size()});
}

std::shared_ptr<CompiledPlan> SessionState::plan(const Fetches& fetches, const std::vector<Output>& feeds) {
  check_open();
  thread_local std::vector<uint64_t> key;
  key.clear();
  for (const Fetch& f : fetches)
    key.push_back(f.node() ? kNode | static_cast<uint64_t>(f.node()->id()) : code(f.output()));
  for (const Output& f : feeds) key.push_back(kFeed | code(f));
  std::lock_guard lock(mutex_);
  if (const auto it = by_key_.find(key); it != by_key_.end()) {
    if (it->second != plans_.begin()) plans_.splice(plans_.begin(), plans_, it->second);
    return it->second->second;
  }
  auto compiled = compile(signature(fetches, feeds));
  plans_.emplace_front(key, compiled);
  by_key_[key] = plans_.begin();
  size_t bytes = 0;
  if (plans_.size() % 64 == 0)  // sizes change as plans are specialised; a look now and then is enough
    for (const Entry& e : plans_) bytes += e.second->bytes();
  while (plans_.size() > kMostPlans || (bytes > options.cache_limit && plans_.size() > 1)) {
    bytes -= std::min(bytes, plans_.back().second->bytes());
    by_key_.erase(plans_.back().first);
    plans_.pop_back();
  }
  return compiled;
}

VariableEntry& SessionState::variable(const Node& node) {
  const std::string* shared = node.attr_value("shared_name").get<std::string>();
  const std::string* container = node.attr_value("container").get<std::string>();
  const DType* dtype = node.attr_value("dtype").get<DType>();
  const Shape* shape = node.attr_value("shape").get<Shape>();
  if (!dtype) throw Error(Code::InvalidArgument, node.type(), node.name(), "is no variable");
  return variables_.entry(container ? *container : "", shared && !shared->empty() ? *shared : node.name(), *dtype,
                          shape ? *shape : Shape::unknown());
}

void SessionState::check_feed(const Output& output, const Tensor& value) const {
  if (value.dtype() != output.dtype())
    throw Error(Code::InvalidArgument, "Cannot feed value of dtype " + std::string(dtype_python_name(value.dtype())) +
                                           " for Tensor " + output.name() + ", which has dtype " +
                                           dtype_python_name(output.dtype()));
  if (!output.shape().compatible(value.shape()))
    throw Error(Code::InvalidArgument, "Cannot feed value of shape " + value.shape().python_str() + " for Tensor " +
                                           output.name() + ", which has shape " + output.shape().python_str());
}

std::vector<Tensor> SessionState::run(CompiledPlan& plan, std::span<const Tensor> feeds,
                                      const Cancellation* cancellation) {
  std::vector<Tensor> results;
  observed(cancellation, [&](int threads, const Cancellation& stop, StepObserver* observer) {
    results = plan.run(feeds, threads, stop, observer);
  });
  return results;
}

}  // namespace vf::runtime
