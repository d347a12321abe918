#pragma once
// What a graph remembers of its variables.
#include <map>
#include <string>
#include <vector>

#include "varflow/variables.h"

namespace vf {

struct Variable::State {
  std::string name;
  Output ref;
  Output snapshot;  // `v/read` or `v/Read/ReadVariableOp`
  Output initial_value;
  Node* initializer = nullptr;
  Shape shape;
  bool resource = false;
  bool trainable = true;
};

struct VariableScopeState {
  std::string name;
  bool reuse = false;
  bool auto_reuse = false;
  Initializer initializer;
  Regularizer regularizer;
  std::optional<bool> use_resource;
};

// A graph's extension: get_variable's store and the variables by node. Guarded by the mutex.
struct GraphVariables {
  std::mutex mutex;
  std::map<std::string, Variable> store;
  std::map<const Node*, Variable> by_node;
};

// How a variable's nodes are made.
struct VariableSpec {
  std::string name;  // reserved in the graph
  DType dtype = DType::Float;
  Shape shape;
  bool trainable = true;
  bool resource = false;
  bool initial_value_is_callable = true;  // get_variable with an initializer: the variable joins its colocation group
  std::vector<std::string> collections;
};
Variable make_variable(Graph& graph, const VariableSpec& spec, const Output& initial_value);

}  // namespace vf
