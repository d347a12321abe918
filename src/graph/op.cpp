#include "varflow/op.h"

#include "graph/op_spec.h"
#include "tensor/elements.h"

namespace vf {

const AttrSpec* OpDef::find_attr(std::string_view attr_name) const {
  for (const AttrSpec& a : attrs)
    if (a.name == attr_name) return &a;
  return nullptr;
}

const ArgSpec* OpDef::find_input(std::string_view input_name) const {
  for (const ArgSpec& a : inputs)
    if (a.name == input_name) return &a;
  return nullptr;
}

std::string OpDef::signature() const {
  const auto list = [](const auto& items, auto print) {
    std::string s;
    for (const auto& item : items) {
      if (!s.empty()) s += ", ";
      s += print(item);
    }
    return s;
  };
  std::string s = name + "(" + list(inputs, print_arg) + ") -> (" + list(outputs, print_arg) + ")";
  if (!attrs.empty()) s += " {" + list(attrs, print_attr) + "}";
  std::string flags;
  if (stateful) flags += " stateful";
  if (commutative) flags += " commutative";
  if (aggregate) flags += " aggregate";
  if (allows_uninitialized_input) flags += " allows_uninitialized_input";
  if (!flags.empty()) s += " [" + flags.substr(1) + "]";
  return s;
}

OpBuilder& OpBuilder::in(const std::string& spec) {
  op_.inputs.push_back(parse_arg(spec));
  return *this;
}

OpBuilder& OpBuilder::out(const std::string& spec) {
  op_.outputs.push_back(parse_arg(spec));
  return *this;
}

OpBuilder& OpBuilder::attr(const std::string& spec) {
  AttrSpec a = parse_attr(spec);
  if (op_.find_attr(a.name))
    throw Error(Code::AlreadyExists, "op " + op_.name + " has the attribute " + a.name + " twice");
  // "inputs: Tin" means a list of types where Tin is one.
  if (a.kind == "list(type)") {
    for (auto* args : {&op_.inputs, &op_.outputs})
      for (ArgSpec& arg : *args)
        if (arg.type_attr == a.name) std::swap(arg.type_attr, arg.type_list_attr);
  }
  op_.attrs.push_back(std::move(a));
  return *this;
}

OpBuilder& OpBuilder::doc(std::string text) {
  op_.doc = std::move(text);
  return *this;
}

OpBuilder& OpBuilder::function(std::string name) {
  op_.function_name = std::move(name);
  return *this;
}

OpBuilder& OpBuilder::stateful() {
  op_.stateful = true;
  return *this;
}

OpBuilder& OpBuilder::commutative() {
  op_.commutative = true;
  return *this;
}

OpBuilder& OpBuilder::aggregate() {
  op_.aggregate = true;
  return *this;
}

OpBuilder& OpBuilder::alias() {
  op_.alias = true;
  return *this;
}

OpBuilder& OpBuilder::constant() {
  op_.constant = true;
  return *this;
}

OpBuilder& OpBuilder::passes_reference() {
  op_.passes_reference = true;
  return *this;
}
OpBuilder& OpBuilder::placeholder() {
  op_.placeholder = true;
  return *this;
}

OpBuilder& OpBuilder::shape_only() {
  op_.shape_only = true;
  return *this;
}

OpBuilder& OpBuilder::random() {
  op_.random = true;
  op_.stateful = true;
  return *this;
}

OpBuilder& OpBuilder::branch(const std::string& then_attr, const std::string& else_attr) {
  op_.block = BlockKind::Branch;
  op_.bodies = {then_attr, else_attr};
  return *this;
}

OpBuilder& OpBuilder::loop(const std::string& cond_attr, const std::string& body_attr) {
  op_.block = BlockKind::Loop;
  op_.bodies = {cond_attr, body_attr};
  return *this;
}

OpBuilder& OpBuilder::peeks(const std::string& input) {
  op_.accesses[input] = Access::Peek;
  return *this;
}

OpBuilder& OpBuilder::reads(const std::string& input) {
  op_.accesses[input] = Access::Read;
  return *this;
}

OpBuilder& OpBuilder::overwrites(const std::string& input) {
  op_.accesses[input] = Access::Overwrite;
  return *this;
}

OpBuilder& OpBuilder::updates(const std::string& input) {
  op_.accesses[input] = Access::Update;
  return *this;
}

OpBuilder& OpBuilder::allows_uninitialized_input() {
  op_.allows_uninitialized_input = true;
  return *this;
}

OpBuilder& OpBuilder::shape(ShapeFunction function) {
  op_.shape = std::move(function);
  return *this;
}

OpBuilder& OpBuilder::fast(KernelFunction function) {
  op_.fast = std::move(function);
  return *this;
}

OpBuilder& OpBuilder::cpu(KernelFunction function) {
  op_.reference = std::move(function);
  return *this;
}

OpBuilder& OpBuilder::grad(GradientFunction function) {
  op_.gradient = std::move(function);
  return *this;
}

OpBuilder& OpBuilder::no_grad() {
  op_.no_gradient = true;
  return *this;
}

OpBuilder& OpBuilder::example(Example example) {
  op_.examples.push_back(std::move(example));
  return *this;
}

OpBuilder OpRegistry::op(const std::string& name) {
  if (find(name)) throw Error(Code::AlreadyExists, "op " + name + " is registered twice");
  ops_.push_back(std::make_unique<OpDef>());
  OpDef& op = *ops_.back();
  op.name = name;
  op.family = family_;
  by_name_[name] = &op;
  return OpBuilder(op);
}

const OpDef* OpRegistry::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

void OpRegistry::gradient(const std::string& name, GradientFunction function) {
  if (!gradients_.emplace(name, std::move(function)).second)
    throw Error(Code::AlreadyExists, "the gradient " + name + " is registered twice");
}

const GradientFunction* OpRegistry::find_gradient(std::string_view name) const {
  const auto it = gradients_.find(name);
  return it == gradients_.end() ? nullptr : &it->second;
}

std::optional<std::vector<int64_t>> ShapeContext::constant_ints(int i) const {
  const Tensor* t = constant(i);
  return t ? std::optional(integers(*t)) : std::nullopt;
}

void ShapeContext::fail(const std::string& message) const {
  std::string shapes;
  for (const Shape& s : inputs_) {
    if (!shapes.empty()) shapes += ", ";
    shapes += s.str();
  }
  throw Error(Code::InvalidArgument, node_.type(), node_.name(), message + " with input shapes: " + shapes + ".");
}

void ShapeContext::expect_rank(int i, int rank) const {
  if (input(i).has_rank() && input(i).rank() != rank)
    fail("Shape must be rank " + std::to_string(rank) + " but is rank " + std::to_string(input(i).rank()));
}

void KernelMake::fail(const std::string& message) const {
  throw Error(Code::InvalidArgument, node_.type(), node_.name(), message);
}

Output GradientContext::gradient(int i) {
  Output& g = output_gradients_.at(static_cast<size_t>(i));
  if (!g) g = make("ZerosLike", {Output(&forward_, i)});
  return g;
}

void GradientContext::set(int i, Output gradient) {
  if (i < 0 || static_cast<size_t>(i) >= results_.size())
    throw Error(Code::InvalidArgument, forward_.type(), forward_.name(),
                "its gradient function sets the gradient of input " + std::to_string(i) + ", but it has " +
                    std::to_string(results_.size()) + " inputs");
  results_[static_cast<size_t>(i)] = gradient;
}

void Cancellation::stop() const {
  const bool flagged =
      cancelled() || (parents_[0] && parents_[0]->cancelled()) || (parents_[1] && parents_[1]->cancelled());
  if (flagged) throw Error(Code::Cancelled, "The run was cancelled.");
  if (deadline_ && std::chrono::steady_clock::now() > *deadline_)
    throw Error(Code::DeadlineExceeded, "Timed out waiting for notification");
}

}  // namespace vf
