#include "varflow/variables.h"

#include <algorithm>

#include "builders/variables/state.h"

namespace vf {

const std::string& Variable::name() const { return state_->name; }
DType Variable::dtype() const { return state_->initial_value.dtype(); }
const Shape& Variable::shape() const { return state_->shape; }
Graph& Variable::graph() const { return state_->ref.graph(); }
bool Variable::is_resource() const { return state_->resource; }
bool Variable::trainable() const { return state_->trainable; }
Output Variable::ref() const { return state_->ref; }
Node* Variable::initializer() const { return state_->initializer; }
Output Variable::initial_value() const { return state_->initial_value; }

Output Variable::value() const {
  if (!state_->resource) return state_->snapshot;
  return make("ReadVariableOp", {state_->ref}, {{"dtype", dtype()}});
}

Output Variable::fetched_output() const { return state_->resource ? state_->snapshot : state_->ref; }

Variable make_variable(Graph& graph, const VariableSpec& spec, const Output& initial_value) {
  auto state = std::make_shared<Variable::State>();
  state->name = spec.name;
  state->shape = spec.shape;
  state->resource = spec.resource;
  state->trainable = spec.trainable;
  state->initial_value = initial_value;
  const AttrValue own_class = std::vector<std::string>{"loc:@" + spec.name};
  const auto absolute = [&](const std::string& suffix) { return graph.unique_name(spec.name + suffix) + "/"; };
  NodeBuilder holder(graph, spec.resource ? "VarHandleOp" : "VariableV2");
  holder.name(spec.name + "/").attr("dtype", spec.dtype).attr("shape", spec.shape);
  if (spec.resource) holder.attr("shared_name", spec.name);
  if (spec.initial_value_is_callable) holder.attr("_class", own_class);
  state->ref = holder.output();
  if (spec.resource) {
    make(graph, "VarIsInitializedOp", {state->ref}, {}, absolute("/IsInitialized/VarIsInitializedOp"));
    state->initializer = NodeBuilder("AssignVariableOp")
                             .name(absolute("/Assign"))
                             .input(state->ref)
                             .input(initial_value)
                             .attr("validate_shape", false)
                             .build();
    state->snapshot = make("ReadVariableOp", {state->ref}, {{"dtype", spec.dtype}}, absolute("/Read/ReadVariableOp"));
  } else {
    state->initializer = make("Assign", {state->ref, initial_value}, {{"_class", own_class}}, absolute("/Assign")).node;
    state->snapshot = make("Identity", {state->ref}, {{"_class", own_class}}, absolute("/read"));
  }
  Variable v(std::move(state));
  {
    auto& known = graph.extension<GraphVariables>();
    const std::lock_guard lock(known.mutex);
    known.by_node[v.ref().node] = v;
  }
  graph.add_to_collection("variables", v.ref());
  if (spec.trainable) graph.add_to_collection("trainable_variables", v.ref());
  for (const std::string& key : spec.collections)
    if (key != "variables" && key != "trainable_variables") graph.add_to_collection(key, v.ref());
  return v;
}

namespace {

// Leaves name scopes and control dependencies of the caller while a variable is made, as TensorFlow does.
class VariableContext {
 public:
  VariableContext(Graph& graph, bool root_scope) : context_(graph.context()), saved_(context_) {
    context_.control_dependencies.clear();
    if (root_scope) context_.name_scope = "";
  }
  ~VariableContext() { context_ = std::move(saved_); }

 private:
  GraphContext& context_;
  GraphContext saved_;
};

std::vector<Variable> in_collection(Graph& graph, const std::string& key) {
  auto& known = graph.extension<GraphVariables>();
  std::vector<Variable> result;
  for (const Output& o : graph.collection(key)) {
    const std::lock_guard lock(known.mutex);
    const auto it = known.by_node.find(o.node);
    if (it != known.by_node.end()) result.push_back(it->second);
  }
  return result;
}

Variable new_variable(Graph& graph, const NewVariableOptions& o, const Tensor* value, const Output& tensor) {
  GraphContext& context = graph.context();
  const auto& scope = context.variable_scope;
  VariableSpec spec;
  spec.resource = o.use_resource.value_or(scope && scope->use_resource.value_or(false));
  spec.trainable = o.trainable;
  spec.name = graph.unique_name(context.name_scope + o.name);
  spec.initial_value_is_callable = false;
  const VariableContext outside(graph, false);
  Output initial = tensor;
  if (value) {
    const std::string name = spec.name + (spec.resource ? "/Initializer/initial_value" : "/initial_value");
    initial = constant(graph, *value, graph.unique_name(name) + "/");
  }
  if (!initial.shape().fully_defined())
    throw Error(Code::InvalidArgument, "initial_value must have a shape specified: " + initial.name());
  spec.dtype = initial.dtype();
  spec.shape = initial.shape();
  return make_variable(graph, spec, initial);
}

}  // namespace

Variable variable(Graph& graph, const Tensor& initial_value, NewVariableOptions options) {
  return new_variable(graph, options, &initial_value, {});
}

Variable variable(const Output& initial_value, NewVariableOptions options) {
  return new_variable(initial_value.graph(), options, nullptr, initial_value);
}

namespace {

Variable get(Graph& graph, const std::string& name, const Shape* shape, const Tensor* value, VariableOptions& o) {
  const auto& scope = graph.context().variable_scope;
  const std::string full = scope && !scope->name.empty() ? scope->name + "/" + name : name;
  auto& known = graph.extension<GraphVariables>();
  Variable found;
  {
    const std::lock_guard lock(known.mutex);
    const auto it = known.store.find(full);
    if (it != known.store.end()) found = it->second;
  }
  const bool reuse = scope && (scope->reuse || scope->auto_reuse);
  if (found && !reuse)
    throw Error(Code::InvalidArgument, "Variable " + full +
                                           " already exists, disallowed. Did you mean to set reuse=True "
                                           "or reuse=tf.AUTO_REUSE in VarScope?");
  if (!found && scope && scope->reuse)
    throw Error(Code::InvalidArgument, "Variable " + full +
                                           " does not exist, or was not created with tf.get_variable(). "
                                           "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?");
  if (found) {
    const DType wanted = value ? value->dtype() : o.dtype;
    if (shape && !shape->compatible(found.shape()))
      throw Error(Code::InvalidArgument, "Trying to share variable " + full + ", but specified shape " +
                                             shape->python_str() + " and found shape " + found.shape().python_str() +
                                             ".");
    if (wanted != found.dtype())
      throw Error(Code::InvalidArgument, "Trying to share variable " + full + ", but specified dtype " +
                                             dtype_python_name(wanted) + " and found dtype " +
                                             dtype_python_name(found.dtype()) + (found.is_resource() ? "" : "_ref") +
                                             ".");
    return found;
  }
  if (shape && !shape->fully_defined())
    throw Error(Code::InvalidArgument, "the shape of variable " + full + " must be fully defined: " + shape->str());
  VariableSpec spec;
  spec.dtype = value ? value->dtype() : o.dtype;
  spec.shape = value ? value->shape() : *shape;
  spec.trainable = o.trainable;
  spec.resource = o.use_resource.value_or(scope && scope->use_resource.value_or(false));
  spec.collections = o.collections;
  spec.initial_value_is_callable = value == nullptr;
  Initializer initializer = o.initializer ? o.initializer : scope ? scope->initializer : Initializer();
  if (!initializer && !value) {
    if (is_complex(spec.dtype) || spec.dtype == DType::Resource || spec.dtype == DType::Variant)
      throw Error(Code::InvalidArgument, "An initializer for variable " + full + " of <dtype: '" +
                                             dtype_python_name(spec.dtype) + "'> is required");
    initializer = is_floating(spec.dtype) ? glorot_uniform_initializer() : zeros_initializer();
  }
  const Regularizer regularizer = o.regularizer ? o.regularizer : scope ? scope->regularizer : Regularizer();

  const VariableContext outside(graph, true);
  spec.name = graph.unique_name(full);
  Output initial;
  if (value) {
    initial = constant(
        graph, *value,
        graph.unique_name(spec.name + (spec.resource ? "/Initializer/initial_value" : "/initial_value")) + "/");
  } else {
    const NameScope names(graph, spec.name + "/Initializer/");
    GraphContext& context = graph.context();
    context.colocate = spec.name;
    initial = initializer(graph, spec.shape, spec.dtype);
    context.colocate = "";
  }
  const Variable v = make_variable(graph, spec, initial);
  {
    const std::lock_guard lock(known.mutex);
    known.store[full] = v;
  }
  if (regularizer) {
    const NameScope names(graph, spec.name + "/Regularizer/");
    if (const Output penalty = regularizer(v)) graph.add_to_collection("regularization_losses", penalty);
  }
  return v;
}

}  // namespace

Variable get_variable(Graph& graph, const std::string& name, const Shape& shape, VariableOptions options) {
  if (options.initial_value.valid())
    throw Error(Code::InvalidArgument, "If initializer is a constant, do not specify shape.");
  return get(graph, name, &shape, nullptr, options);
}

Variable get_variable(Graph& graph, const std::string& name, VariableOptions options) {
  if (!options.initial_value.valid())
    throw Error(Code::InvalidArgument, "Variable " + name +
                                           " did not get an initializer, so its `shape` argument must be "
                                           "specified.");
  if (options.initializer)
    throw Error(Code::InvalidArgument, "variable " + name + " is given an initial value and an initializer");
  return get(graph, name, nullptr, &options.initial_value, options);
}

VariableScope::VariableScope(Graph& graph, const std::string& name, VariableScopeOptions options) : graph_(graph) {
  GraphContext& context = graph.context();
  previous_ = context.variable_scope;
  auto state = std::make_shared<VariableScopeState>(previous_ ? *previous_ : VariableScopeState());
  state->name = state->name.empty() ? name : state->name + "/" + name;
  if (options.reuse != Reuse::Inherit) {
    state->reuse = options.reuse == Reuse::Yes;
    state->auto_reuse = options.reuse == Reuse::Auto;
  }
  if (options.initializer) state->initializer = options.initializer;
  if (options.regularizer) state->regularizer = options.regularizer;
  if (options.use_resource) state->use_resource = options.use_resource;
  name_scope_ = std::make_unique<NameScope>(graph, name);
  context.variable_scope = std::move(state);
}

VariableScope::~VariableScope() { graph_.context().variable_scope = previous_; }

std::vector<Variable> global_variables(Graph& graph) { return in_collection(graph, "variables"); }

std::vector<Variable> trainable_variables(Graph& graph) { return in_collection(graph, "trainable_variables"); }

Node* group(Graph& graph, const std::vector<Node*>& nodes, const std::string& name) {
  NodeBuilder b(graph, "NoOp");
  b.name(name);
  for (Node* n : nodes) b.control(n);
  return b.build();
}

Node* variables_initializer(Graph& graph, const std::vector<Variable>& variables, const std::string& name) {
  std::vector<Node*> nodes;
  for (const Variable& v : variables) nodes.push_back(v.initializer());
  std::sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->name() < b->name(); });
  return group(graph, nodes, name);
}

Node* global_variables_initializer(Graph& graph) { return variables_initializer(graph, global_variables(graph)); }

namespace {

// The three assigns of both kinds; of a resource the output is a read that follows.
Output write(const Variable& v, const char* ref_op, const char* resource_op, const Operand& value,
             const AssignOptions& o) {
  if (!v.is_resource()) {
    NodeBuilder b(ref_op);
    b.name(o.name).input(v.ref()).input(value).colocate(v.ref().node);
    if (std::string(ref_op) == "Assign") b.attr("validate_shape", o.validate_shape).attr("use_locking", true);
    return b.output();
  }
  NodeBuilder b(resource_op);
  b.name(o.name).input(v.ref()).input(value).attr("dtype", v.dtype());
  Node* n = b.build();
  const ControlDependencies after(v.graph(), {n});
  return v.value();
}

}  // namespace

Output assign(const Variable& v, const Operand& value, const AssignOptions& o) {
  return write(v, "Assign", "AssignVariableOp", value, o);
}
Output assign_add(const Variable& v, const Operand& delta, const AssignOptions& o) {
  return write(v, "AssignAdd", "AssignAddVariableOp", delta, o);
}
Output assign_sub(const Variable& v, const Operand& delta, const AssignOptions& o) {
  return write(v, "AssignSub", "AssignSubVariableOp", delta, o);
}

}  // namespace vf
