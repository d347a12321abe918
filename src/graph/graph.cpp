#include "varflow/graph.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <queue>
#include <unordered_set>

#include "varflow/function.h"
#include "varflow/op.h"

namespace vf {
namespace {

std::string lower_case(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

uint64_t next_serial() {
  static std::atomic<uint64_t> serial{0};
  return ++serial;
}

}  // namespace

DType Output::dtype() const { return node->output_dtype(index); }
bool Output::is_ref() const { return node->output_is_ref(index); }
const Shape& Output::shape() const { return node->output_shape(index); }
Graph& Output::graph() const { return node->graph(); }
std::string Output::name() const { return node->name() + ":" + std::to_string(index); }

std::string Node::full_name() const {
  const std::string& function = graph_->function_name();
  return function.empty() ? name_ : function + "/" + name_;
}

const std::string& Node::type() const { return op_->name; }

const AttrValue& Node::attr_value(std::string_view name) const {
  static const AttrValue none;
  if (const AttrValue* v = attrs_.find(name)) return *v;
  const AttrSpec* spec = op_->find_attr(name);
  return spec ? spec->default_value : none;
}

void Node::throw_attr(std::string_view name) const {
  const AttrValue& v = attr_value(name);
  throw Error(Code::InvalidArgument, type(), name_,
              v.empty() ? "has no attribute '" + std::string(name) + "'"
                        : "the attribute '" + std::string(name) + "' is of kind " + v.kind());
}

std::pair<int, int> Node::input_range(std::string_view name) const {
  int first = 0;
  for (const ArgSpec& arg : op_->inputs) {
    int count = 1;
    if (!arg.number_attr.empty()) count = static_cast<int>(attr<int64_t>(arg.number_attr));
    if (!arg.type_list_attr.empty()) count = static_cast<int>(attr<std::vector<DType>>(arg.type_list_attr).size());
    if (arg.name == name) return {first, count};
    first += count;
  }
  throw Error(Code::InvalidArgument, type(), name_, "has no input '" + std::string(name) + "'");
}

Graph::Graph() : Graph(OpRegistry::standard()) {}

Graph::Graph(const OpRegistry& registry, Level level) : registry_(&registry), level_(level), serial_(next_serial()) {}

Graph::Graph(Graph& outermost, std::string function_name)
    : registry_(outermost.registry_),
      level_(outermost.level_),
      serial_(next_serial()),
      outermost_(&outermost),
      function_name_(std::move(function_name)),
      has_seed_(outermost.has_seed_),
      seed_(outermost.seed_) {}

Graph::~Graph() = default;

int Graph::num_nodes() const {
  std::shared_lock lock(mutex_);
  return static_cast<int>(nodes_.size());
}

Node* Graph::node(int id) const {
  std::shared_lock lock(mutex_);
  return nodes_.at(static_cast<size_t>(id)).get();
}

Node* Graph::find(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

Output Graph::output(std::string_view name) const {
  const size_t colon = name.rfind(':');
  const std::string op(name.substr(0, colon));
  int index = 0;
  if (colon != std::string_view::npos) {
    const std::string digits(name.substr(colon + 1));
    if (digits.empty() || digits.size() > 6 || !std::all_of(digits.begin(), digits.end(), ::isdigit))
      throw Error(Code::InvalidArgument, "The name '" + std::string(name) +
                                             "' looks a like a Tensor name, but is not a valid one. Tensor names must "
                                             "be of the form \"<op_name>:<output_index>\".");
    index = std::stoi(digits);
  }
  Node* n = find(op);
  if (!n)
    throw Error(Code::NotFound, "The name '" + std::string(name) +
                                    "' refers to a Tensor which does not exist. The operation, '" + op +
                                    "', does not exist in the graph.");
  if (index >= n->num_outputs())
    throw Error(Code::NotFound, "The name '" + std::string(name) +
                                    "' refers to a Tensor which does not exist. The operation, '" + op +
                                    "', exists but only has " + std::to_string(n->num_outputs()) + " outputs.");
  return Output(n, index);
}

std::vector<Node*> Graph::nodes() const {
  std::shared_lock lock(mutex_);
  std::vector<Node*> result;
  result.reserve(nodes_.size());
  for (const auto& n : nodes_) result.push_back(n.get());
  return result;
}

Node* Graph::append(std::unique_ptr<Node> node) {
  std::unique_lock lock(mutex_);
  if (finalized_) throw Error(Code::FailedPrecondition, "Graph is finalized and cannot be modified.");
  if (by_name_.count(node->name_))
    throw Error(Code::AlreadyExists, node->type(), node->name_, "the graph has a node of this name");
  node->id_ = static_cast<int>(nodes_.size());
  by_name_[node->name_] = node.get();
  nodes_.push_back(std::move(node));
  if (late_edges_) order_.clear();
  return nodes_.back().get();
}

void Graph::add_control_input(Node* node, Node* before) {
  std::unique_lock lock(mutex_);
  if (finalized_) throw Error(Code::FailedPrecondition, "Graph is finalized and cannot be modified.");
  if (node->graph_ != this || before->graph_ != this)
    throw Error(Code::InvalidArgument, node->type(), node->name(),
                "a control input must be from the same graph: " + before->name());
  auto& controls = node->control_inputs_;
  if (std::find(controls.begin(), controls.end(), before) != controls.end()) return;
  // A cycle would close if `before` already depends on `node`.
  std::vector<const Node*> stack{before};
  std::unordered_set<const Node*> seen{before};
  while (!stack.empty()) {
    const Node* n = stack.back();
    stack.pop_back();
    if (n == node)
      throw Error(Code::InvalidArgument, node->type(), node->name(),
                  "a control input from " + before->name() + " closes a cycle");
    const auto visit = [&](const Node* m) {
      if (seen.insert(m).second) stack.push_back(m);
    };
    for (const Output& in : n->inputs_) visit(in.node);
    for (const Node* c : n->control_inputs_) visit(c);
  }
  controls.push_back(before);
  if (before->id_ > node->id_) late_edges_ = true;
  if (late_edges_) order_.clear();
}

void Graph::set_gradient(Node* node, GradientFunction gradient) {
  std::unique_lock lock(mutex_);
  if (node->graph_ != this)
    throw Error(Code::InvalidArgument, node->type(), node->name(), "is not an element of this graph");
  if (!gradients_.emplace(node, std::move(gradient)).second)
    throw Error(Code::AlreadyExists, node->type(), node->name(), "has a gradient of its own already");
}

const GradientFunction* Graph::gradient(const Node* node) const {
  std::shared_lock lock(mutex_);
  const auto it = gradients_.find(node);
  return it == gradients_.end() ? nullptr : &it->second;
}

int Graph::order(const Node* node) const {
  {
    std::shared_lock lock(mutex_);
    if (!late_edges_) return node->id_;  // every edge points to an earlier node
    if (!order_.empty()) return order_[static_cast<size_t>(node->id_)];
  }
  std::unique_lock lock(mutex_);
  if (order_.empty()) reorder();
  return order_[static_cast<size_t>(node->id_)];
}

void Graph::reorder() const {
  const size_t n = nodes_.size();
  std::vector<int> waiting(n, 0);
  std::vector<std::vector<int>> consumers(n);
  for (const auto& node : nodes_) {
    const auto edge = [&](const Node* from) {
      consumers[static_cast<size_t>(from->id_)].push_back(node->id_);
      ++waiting[static_cast<size_t>(node->id_)];
    };
    for (const Output& in : node->inputs_) edge(in.node);
    for (const Node* c : node->control_inputs_) edge(c);
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < n; ++i)
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  order_.assign(n, 0);
  int position = 0;
  while (!ready.empty()) {
    const int id = ready.top();
    ready.pop();
    order_[static_cast<size_t>(id)] = position++;
    for (int c : consumers[static_cast<size_t>(id)])
      if (--waiting[static_cast<size_t>(c)] == 0) ready.push(c);
  }
}

std::string Graph::unique_name(const std::string& name) {
  std::unique_lock lock(mutex_);
  return unique_name_locked(name);
}

std::string Graph::unique_name_locked(const std::string& name) {
  const std::string key = lower_case(name);
  // Every prefix "a", "a/b" of a used name is used too, so that scopes and nodes do not collide.
  for (size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', slash + 1))
    used_names_.try_emplace(key.substr(0, slash), 0);
  const auto [it, fresh] = used_names_.try_emplace(key, 0);
  if (fresh) return name;
  int& suffix = it->second;
  std::string candidate;
  do {
    candidate = name + "_" + std::to_string(++suffix);
  } while (!used_names_.try_emplace(lower_case(candidate), 0).second);
  return candidate;
}

std::pair<int64_t, int64_t> Graph::op_seeds(const int64_t* op_seed) {
  constexpr int64_t kModulus = 2147483647;
  const auto mod = [](int64_t v) { return ((v % kModulus) + kModulus) % kModulus; };
  std::unique_lock lock(mutex_);
  if (!has_seed_ && !op_seed) return {0, 0};
  int64_t seed = has_seed_ ? mod(seed_) : 87654321;
  int64_t seed2 = 0;
  if (op_seed)
    seed2 = mod(*op_seed);
  else
    seed2 = mod(level_ == Level::TF1_15 ? static_cast<int64_t>(nodes_.size()) : derived_seeds_++);
  if (seed == 0 && seed2 == 0) seed2 = kModulus;
  return {seed, seed2};
}

void Graph::add_to_collection(const std::string& key, Output item) {
  std::unique_lock lock(mutex_);
  collections_[key].push_back(item);
}

std::vector<Output> Graph::collection(const std::string& key) const {
  std::shared_lock lock(mutex_);
  const auto it = collections_.find(key);
  return it == collections_.end() ? std::vector<Output>{} : it->second;
}

GraphContext& Graph::context() {
  // A thread builds in few graphs at a time: the newest is found first, and old ones make room.
  constexpr size_t kMost = 64;
  thread_local std::vector<std::pair<uint64_t, std::unique_ptr<GraphContext>>> contexts;
  for (auto it = contexts.rbegin(); it != contexts.rend(); ++it)
    if (it->first == serial_) return *it->second;
  if (contexts.size() >= kMost) contexts.erase(contexts.begin());
  contexts.emplace_back(serial_, std::make_unique<GraphContext>());
  return *contexts.back().second;
}

void* Graph::extension(const void* key, const std::function<std::shared_ptr<void>()>& make) {
  std::unique_lock lock(mutex_);
  auto& entry = extensions_[key];
  if (!entry) entry = make();
  return entry.get();
}

}  // namespace vf
