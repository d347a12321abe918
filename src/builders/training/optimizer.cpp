#include <algorithm>

#include "builders/variables/state.h"
#include "varflow/gradients.h"
#include "varflow/train.h"

namespace vf {

Optimizer::~Optimizer() = default;

std::vector<Optimizer::GradientAndVariable> Optimizer::compute_gradients(const Output& loss,
                                                                         std::vector<Variable> var_list) const {
  if (var_list.empty()) var_list = trainable_variables(loss.graph());
  if (var_list.empty()) throw Error(Code::InvalidArgument, "No variables to optimize.");
  std::vector<Output> xs;
  for (const Variable& v : var_list) xs.push_back(v.ref());
  const std::vector<Output> gradients = vf::gradients({loss}, xs);
  std::vector<GradientAndVariable> result;
  for (size_t i = 0; i < var_list.size(); ++i) result.emplace_back(gradients[i], var_list[i]);
  return result;
}

Node* Optimizer::minimize(const Output& loss, const MinimizeOptions& options) {
  const auto gradients = compute_gradients(loss, options.var_list);
  const bool any = std::any_of(gradients.begin(), gradients.end(), [](const auto& g) { return bool(g.first); });
  if (!any)
    throw Error(Code::InvalidArgument,
                "No gradients provided for any variable, check your graph for ops that do not "
                "support gradients, between variables and loss " +
                    loss.name() + ".");
  return apply_gradients(gradients, options);
}

Node* Optimizer::apply_gradients(const std::vector<GradientAndVariable>& gradients, const MinimizeOptions& options) {
  std::vector<Variable> variables;
  for (const auto& [g, v] : gradients)
    if (g) variables.push_back(v);
  if (gradients.empty()) throw Error(Code::InvalidArgument, "No variables provided.");
  if (variables.empty()) throw Error(Code::InvalidArgument, "No gradients provided for any variable.");
  Graph& graph = variables.front().graph();
  create_slots(variables);
  const NameScope scope(graph, options.name.empty() ? name_ : options.name);
  prepare(graph);
  std::vector<Node*> updates;
  for (const auto& [g, v] : gradients) {
    if (!g) continue;
    const NameScope update(graph, "update_" + v.name());
    updates.push_back(apply(g, v));
  }
  updates = finish(graph, updates);
  if (!options.global_step) return group(graph, updates, scope.name());
  Node* all = group(graph, updates, "update");
  const ControlDependencies after(graph, {all});
  const Tensor one = Tensor(int64_t{1}).cast(options.global_step.dtype());
  const Output value = constant(graph, one, "value");
  if (options.global_step.is_resource())
    return NodeBuilder("AssignAddVariableOp")
        .name(scope.name())
        .input(options.global_step.ref())
        .input(value)
        .attr("dtype", options.global_step.dtype())
        .build();
  return make("AssignAdd", {options.global_step.ref(), value}, {}, scope.name()).node;
}

std::vector<Node*> Optimizer::finish(Graph&, const std::vector<Node*>& updates) { return updates; }

Variable Optimizer::get_slot(const Variable& variable, const std::string& name) const {
  for (const auto& [key, slot] : slots_)
    if (key.first == variable.name() && key.second == name) return slot;
  return {};
}

Variable Optimizer::zeros_slot(const Variable& v, const std::string& slot, const std::string& variable_name) {
  Graph& graph = v.graph();
  GraphContext& context = graph.context();
  const GraphContext saved = context;
  context.control_dependencies.clear();
  context.name_scope = "";
  VariableSpec spec;
  spec.name = graph.unique_name(v.name() + "/" + variable_name);
  spec.dtype = v.dtype();
  spec.shape = v.shape();
  spec.trainable = false;
  spec.resource = v.is_resource();
  Output initial;
  {
    const NameScope names(graph, spec.name + "/Initializer/");
    initial = zeros_initializer()(graph, spec.shape, spec.dtype);
  }
  const Variable made = make_variable(graph, spec, initial);
  context = saved;
  slots_.push_back({{v.name(), slot}, made});
  return made;
}

Output Optimizer::hyperparameter(Graph& graph, float value, const std::string& name) const {
  return constant(graph, Tensor(value), name);
}

namespace {

// A hyperparameter in the variable's dtype.
Output as(const Output& value, const Variable& v) {
  return value.dtype() == v.dtype() ? value : make("Cast", {value}, {{"DstT", v.dtype()}});
}

Node* training_op(const Variable& v, const std::string& op, std::vector<Operand> inputs, AttrMap attrs = {}) {
  attrs.set("_class", std::vector<std::string>{"loc:@" + v.name()});
  return make((v.is_resource() ? "Resource" : "") + op, std::move(inputs), std::move(attrs)).node;
}

}  // namespace

GradientDescentOptimizer::GradientDescentOptimizer(float learning_rate, std::string name)
    : Optimizer(std::move(name)), learning_rate_(learning_rate) {}

void GradientDescentOptimizer::prepare(Graph& graph) { rate_ = hyperparameter(graph, learning_rate_, "learning_rate"); }

Node* GradientDescentOptimizer::apply(const Output& g, const Variable& v) {
  return training_op(v, "ApplyGradientDescent", {v.ref(), as(rate_, v), g});
}

MomentumOptimizer::MomentumOptimizer(float learning_rate, float momentum, bool use_nesterov, std::string name)
    : Optimizer(std::move(name)), learning_rate_(learning_rate), momentum_(momentum), nesterov_(use_nesterov) {}

void MomentumOptimizer::create_slots(const std::vector<Variable>& variables) {
  for (const Variable& v : variables) zeros_slot(v, "momentum", name());
}

void MomentumOptimizer::prepare(Graph& graph) {
  rate_ = hyperparameter(graph, learning_rate_, "learning_rate");
  momentum_node_ = hyperparameter(graph, momentum_, "momentum");
}

Node* MomentumOptimizer::apply(const Output& g, const Variable& v) {
  return training_op(v, "ApplyMomentum",
                     {v.ref(), get_slot(v, "momentum").ref(), as(rate_, v), g, as(momentum_node_, v)},
                     {{"use_nesterov", nesterov_}});
}

AdamOptimizer::AdamOptimizer(float learning_rate, float beta1, float beta2, float epsilon, std::string name)
    : Optimizer(std::move(name)), learning_rate_(learning_rate), beta1_(beta1), beta2_(beta2), epsilon_(epsilon) {}

void AdamOptimizer::create_slots(const std::vector<Variable>& variables) {
  Graph& graph = variables.front().graph();
  const bool resource = variables.front().is_resource();
  beta1_power_ = variable(graph, Tensor(beta1_), {.name = "beta1_power", .trainable = false, .use_resource = resource});
  beta2_power_ = variable(graph, Tensor(beta2_), {.name = "beta2_power", .trainable = false, .use_resource = resource});
  for (const Variable& v : variables) {
    zeros_slot(v, "m", name());
    zeros_slot(v, "v", name());
  }
}

void AdamOptimizer::prepare(Graph& graph) {
  rate_ = hyperparameter(graph, learning_rate_, "learning_rate");
  beta1_node_ = hyperparameter(graph, beta1_, "beta1");
  beta2_node_ = hyperparameter(graph, beta2_, "beta2");
  epsilon_node_ = hyperparameter(graph, epsilon_, "epsilon");
}

Node* AdamOptimizer::apply(const Output& g, const Variable& v) {
  return training_op(
      v, "ApplyAdam",
      {v.ref(), get_slot(v, "m").ref(), get_slot(v, "v").ref(), as(beta1_power_.value(), v),
       as(beta2_power_.value(), v), as(rate_, v), as(beta1_node_, v), as(beta2_node_, v), as(epsilon_node_, v), g});
}

std::vector<Node*> AdamOptimizer::finish(Graph& graph, const std::vector<Node*>& updates) {
  std::vector<Node*> all = updates;
  const ControlDependencies after(graph, updates);
  for (const auto& [power, beta] : {std::pair{beta1_power_, beta1_node_}, {beta2_power_, beta2_node_}})
    all.push_back(assign(power, make("Mul", {power.value(), beta}, {}, "mul")).node);
  return all;
}

}  // namespace vf
