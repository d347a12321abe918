#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/initializers.h"

namespace vf {

// A variable of a graph: TensorFlow's tf.Variable. A small value that names nodes; the value lives in each session.
class VF_API Variable {
 public:
  Variable() = default;
  explicit operator bool() const { return state_ != nullptr; }
  const std::string& name() const;  // "conv1/kernel", without ":0"
  DType dtype() const;
  const Shape& shape() const;
  Graph& graph() const;
  bool is_resource() const;
  bool trainable() const;
  // What assigns and optimizers take: the reference, or the resource's handle.
  Output ref() const;
  // The value when a consumer runs: `v/read`; of a resource a new ReadVariableOp each time, whose value never changes.
  Output value() const;
  operator Output() const { return value(); }
  // What Session::run gives for the variable itself: of a reference its value after the run's writes, of a resource
  // that of the read which was made with it, before all of them.
  Output fetched_output() const;
  Node* initializer() const;  // the Assign of its initial value
  Output initial_value() const;
  friend bool operator==(const Variable& a, const Variable& b) { return a.ref() == b.ref(); }

  struct State;
  explicit Variable(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

// Adds a penalty node for a variable's value; its output joins "regularization_losses".
using Regularizer = std::function<Output(const Output& value)>;

struct VariableOptions {
  Initializer initializer = {};  // default: glorot_uniform for floats, zeros for the rest; or the scope's
  Tensor initial_value = {};     // in place of an initializer: says shape and dtype too
  DType dtype = DType::Float;
  bool trainable = true;
  std::optional<bool> use_resource = {};  // default: the scope's, else a reference
  Regularizer regularizer = {};
  std::vector<std::string> collections = {};  // beside "variables" and "trainable_variables"
};

// TensorFlow's tf.get_variable: the variable `name` of the current variable scope, made or, where the scope says reuse,
// found. Errors are TensorFlow's ValueErrors as InvalidArgument. The shape must be fully defined.
VF_API Variable get_variable(Graph& graph, const std::string& name, const Shape& shape, VariableOptions options = {});
// Where options.initial_value says the shape.
VF_API Variable get_variable(Graph& graph, const std::string& name, VariableOptions options);

struct NewVariableOptions {
  std::string name = "Variable";
  bool trainable = true;
  std::optional<bool> use_resource = {};
};
// TensorFlow's tf.Variable: always a new one, in the current name scope.
VF_API Variable variable(Graph& graph, const Tensor& initial_value, NewVariableOptions options = {});
VF_API Variable variable(const Output& initial_value, NewVariableOptions options = {});

enum class Reuse { Inherit, Yes, Auto };
struct VariableScopeOptions {
  Reuse reuse = Reuse::Inherit;
  Initializer initializer = {};
  Regularizer regularizer = {};
  std::optional<bool> use_resource = {};
};

// `with tf.variable_scope(name, reuse=...)`: prefixes get_variable's names and opens a name scope.
class VF_API VariableScope {
 public:
  VariableScope(Graph& graph, const std::string& name, VariableScopeOptions options = {});
  ~VariableScope();
  VariableScope(const VariableScope&) = delete;
  VariableScope& operator=(const VariableScope&) = delete;

 private:
  Graph& graph_;
  std::shared_ptr<VariableScopeState> previous_;
  std::unique_ptr<NameScope> name_scope_;
};

VF_API std::vector<Variable> global_variables(Graph& graph);
VF_API std::vector<Variable> trainable_variables(Graph& graph);
// A NoOp that runs the initializers.
VF_API Node* variables_initializer(Graph& graph, const std::vector<Variable>& variables,
                                   const std::string& name = "init");
VF_API Node* global_variables_initializer(Graph& graph);
// A NoOp that runs after all of `nodes`.
VF_API Node* group(Graph& graph, const std::vector<Node*>& nodes, const std::string& name = "group_deps");

struct AssignOptions {
  bool validate_shape = true;  // false: a reference may take another shape
  std::string name = {};
};
// Ops that change a variable when they run; the output is the value afterwards.
VF_API Output assign(const Variable& variable, const Operand& value, const AssignOptions& options = {});
VF_API Output assign_add(const Variable& variable, const Operand& delta, const AssignOptions& options = {});
VF_API Output assign_sub(const Variable& variable, const Operand& delta, const AssignOptions& options = {});

}  // namespace vf
