#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/attr.h"
#include "varflow/dtype.h"
#include "varflow/error.h"
#include "varflow/export.h"
#include "varflow/shape.h"
#include "varflow/tensor.h"

namespace vf {

class Function;
class GradientContext;  // op.h
class Graph;
class Node;
class OpDef;
class OpRegistry;

// Builds the gradient of one node.
using GradientFunction = std::function<void(GradientContext&)>;

// One output of a node: TensorFlow's symbolic tensor. A small value; the Graph owns the node.
struct VF_API Output {
  Node* node = nullptr;
  int index = 0;

  Output() = default;
  Output(Node* n, int i = 0) : node(n), index(i) {}
  explicit operator bool() const { return node != nullptr; }
  DType dtype() const;
  bool is_ref() const;         // TensorFlow's reference types (VariableV2, Assign)
  const Shape& shape() const;  // what is known when the graph is built
  Graph& graph() const;
  std::string name() const;  // "conv1/Relu:0"
  friend bool operator==(const Output&, const Output&) = default;
};

// An operation of a graph. Never changes once made, but for control inputs that Graph::add_control_input adds.
class VF_API Node {
 public:
  const std::string& name() const { return name_; }
  // Unique among all bodies of the graph's functions too: "function/name" in a body.
  std::string full_name() const;
  const std::string& type() const;  // the op's name: "Conv2D"
  const OpDef& op() const { return *op_; }
  Graph& graph() const { return *graph_; }
  // Creation position in the graph: 0, 1, 2, ...
  int id() const { return id_; }
  std::span<const Output> inputs() const { return inputs_; }
  const Output& input(int i) const { return inputs_.at(static_cast<size_t>(i)); }
  std::span<Node* const> control_inputs() const { return control_inputs_; }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  DType output_dtype(int i) const { return outputs_.at(static_cast<size_t>(i)).dtype; }
  bool output_is_ref(int i) const { return outputs_.at(static_cast<size_t>(i)).is_ref; }
  const Shape& output_shape(int i) const { return outputs_.at(static_cast<size_t>(i)).shape; }
  const std::string& device() const { return device_; }
  const AttrMap& attrs() const { return attrs_; }
  // The attribute, or its default from the op's signature; InvalidArgument where it is absent or of another kind.
  template <class T>
  const T& attr(std::string_view name) const {
    const T* v = attr_value(name).template get<T>();
    if (!v) throw_attr(name);
    return *v;
  }
  const AttrValue& attr_value(std::string_view name) const;  // empty value where absent
  // First input and number of inputs that belong to the signature's argument `name`.
  std::pair<int, int> input_range(std::string_view name) const;

 private:
  friend class Graph;
  friend class NodeBuilder;
  struct OutputInfo {
    Shape shape;
    DType dtype;
    bool is_ref;
  };
  [[noreturn]] void throw_attr(std::string_view name) const;

  std::string name_;
  const OpDef* op_ = nullptr;
  Graph* graph_ = nullptr;
  int id_ = -1;
  std::vector<Output> inputs_;
  std::vector<Node*> control_inputs_;
  std::vector<OutputInfo> outputs_;
  AttrMap attrs_;
  std::string device_;
};

// What stands where an op takes a tensor: an Output, a Variable (variables.h converts itself), or a literal that
// becomes a Const of the dtype that its neighbours have.
class VF_API Operand {
 public:
  Operand(Output output) : output_(output) {}
  template <class T>
  requires(std::is_convertible_v<T, Output>&& std::is_class_v<T> && !std::is_same_v<T, Output>)
      Operand(const T& variable)
      : output_(static_cast<Output>(variable)) {}
  Operand(Tensor literal) : literal_(std::move(literal)), typed_(true) {}
  Operand(float v) : literal_(Tensor(v)) {}
  Operand(double v) : literal_(Tensor(static_cast<float>(v))) {}
  Operand(int v) : literal_(Tensor(static_cast<int32_t>(v))) {}
  Operand(int64_t v) : literal_(Tensor(v)) {}
  Operand(bool v) : literal_(Tensor(v)), typed_(true) {}
  Operand(const char* v) : literal_(Tensor(v)), typed_(true) {}
  Operand(const std::string& v) : literal_(Tensor(v)), typed_(true) {}
  Operand(const Shape& shape);                  // an int32 vector
  Operand(std::initializer_list<int> values);   // an int32 vector
  Operand(const std::vector<int64_t>& values);  // an int32 vector

  bool is_output() const { return static_cast<bool>(output_); }
  const Output& output() const { return output_; }
  const Tensor& literal() const { return literal_; }
  // False for Python-like numbers, which take the dtype of what they meet.
  bool typed() const { return typed_; }

 private:
  Output output_;
  Tensor literal_;
  bool typed_ = false;
};

// Makes one node of any registered op, by names: what generated builders, gradients and imports stand on.
// Literals become Const nodes "<node>/<argument>"; type and length attributes are inferred from the inputs.
class VF_API NodeBuilder {
 public:
  // The graph is that of the first Output among the inputs.
  explicit NodeBuilder(std::string op) : op_(std::move(op)) {}
  NodeBuilder(Graph& graph, std::string op) : graph_(&graph), op_(std::move(op)) {}
  // Relative to the current name scope; made unique. Default: the op's name. One that ends in "/" is absolute and was
  // reserved by Graph::unique_name.
  NodeBuilder& name(std::string name) {
    if (!name.empty()) name_ = std::move(name);
    return *this;
  }
  NodeBuilder& input(Operand operand);
  NodeBuilder& inputs(std::vector<Operand> list);  // one argument that takes a list
  NodeBuilder& attr(std::string name, AttrValue value);
  NodeBuilder& control(Node* node);
  NodeBuilder& colocate(Node* node);  // _class loc:@node
  Node* build();
  // build(), and its output 0.
  Output output() { return Output(build(), 0); }

 private:
  struct Argument {
    std::vector<Operand> operands;
    bool list = false;
  };
  Graph* graph_ = nullptr;
  std::string op_;
  std::string name_;
  std::vector<Argument> arguments_;
  AttrMap attrs_;
  std::vector<Node*> controls_;
};

// A node's first output in one line: make(op, {inputs}, {attributes}). Where the signature has a list, the inputs that
// the other arguments leave are its items.
VF_API Output make(Graph& graph, const std::string& op, std::vector<Operand> inputs, const AttrMap& attrs = {},
                   std::string name = "");
// In the graph of the first Output among the inputs.
VF_API Output make(const std::string& op, std::vector<Operand> inputs, const AttrMap& attrs = {},
                   std::string name = "");

// What a variable scope hands down (variables.h).
struct VariableScopeState;

// The building state of one thread in one graph: scopes, control dependencies, device.
struct VF_API GraphContext {
  std::string name_scope;  // "a/b/" or ""
  std::vector<std::vector<Node*>> control_dependencies;
  std::string device;
  std::string colocate;                                                // name of the node to colocate with
  std::vector<std::map<std::string, std::string>> gradient_overrides;  // op type -> registered gradient
  const Node* gradient_of = nullptr;  // set while a gradient function builds: the forward node
  std::shared_ptr<VariableScopeState> variable_scope;
};

// An argument of a function (function.h). Of a resource, `shape` is that of the variable behind it.
struct FunctionArgument {
  DType dtype;
  Shape shape = Shape::unknown();
  std::string name = {};  // default: arg0, arg1, ...
};
// Makes a body's nodes in `body` and returns its results.
using FunctionBody = std::function<std::vector<Output>(Graph& body, const std::vector<Output>& arguments)>;

// Which TensorFlow a graph follows where versions differ (derived op seeds, names, messages).
enum class Level { TF1_15, TF2_21 };

// A TensorFlow graph: nodes, names, collections. Append-only. Building is safe from several threads and never waits
// for runs. Nodes live as long as the graph, which must outlive its sessions.
class VF_API Graph {
 public:
  Graph();  // with all ops of Varflow
  explicit Graph(const OpRegistry& registry, Level level = Level::TF2_21);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const OpRegistry& registry() const { return *registry_; }
  Level level() const { return level_; }
  int num_nodes() const;
  Node* node(int id) const;
  Node* find(std::string_view name) const;  // nullptr where there is none
  // "conv1/Relu:0" or "conv1/Relu"; NotFound with TensorFlow's text where there is none.
  Output output(std::string_view name) const;
  std::vector<Node*> nodes() const;  // in creation order

  // A control edge between nodes that exist; InvalidArgument where it would close a cycle.
  void add_control_input(Node* node, Node* before);
  // A gradient of the node's own, in place of its op's (tf.custom_gradient); AlreadyExists where it has one.
  void set_gradient(Node* node, GradientFunction gradient);
  // nullptr where none was set; else it lives as long as the graph.
  const GradientFunction* gradient(const Node* node) const;
  // Position in the graph's order: a topological sort with the creation position as priority. Order of effects
  // that no edge orders is defined by it.
  int order(const Node* node) const;

  // "name", or "name_1", "name_2", ...; unique regardless of case. Reserves it.
  std::string unique_name(const std::string& name);
  void set_random_seed(int64_t seed) { seed_ = seed, has_seed_ = true; }
  // TensorFlow's get_seed: (seed, seed2) from the graph seed and the op seed, by the rule of the graph's level.
  std::pair<int64_t, int64_t> op_seeds(const int64_t* op_seed);
  // After this, making a node fails with "Graph is finalized and cannot be modified.".
  void finalize() { finalized_ = true; }

  // A function of the library, which a graph and the bodies of its functions share; it lives as long as the graph.
  // `build` runs without locks and may add functions itself. AlreadyExists where the name is taken.
  const Function& add_function(const std::string& name, const std::vector<FunctionArgument>& arguments,
                               const FunctionBody& build);
  const Function* find_function(std::string_view name) const;  // nullptr where there is none
  // The function whose body this graph is; "" where it is none.
  const std::string& function_name() const { return function_name_; }

  // Named lists of outputs ("variables", "trainable_variables", "losses", ...), insertion order.
  void add_to_collection(const std::string& key, Output item);
  std::vector<Output> collection(const std::string& key) const;

  // State of the calling thread.
  GraphContext& context();
  // Data that higher layers keep with the graph, made on first use.
  template <class T>
  T& extension() {
    return *static_cast<T*>(extension(typeid_key<T>(), [] { return std::shared_ptr<void>(new T()); }));
  }

 private:
  friend class NodeBuilder;
  Graph(Graph& outermost, std::string function_name);
  const Function& insert_function(std::unique_ptr<Function> function);
  template <class T>
  static const void* typeid_key() {
    static const char key = 0;
    return &key;
  }
  void* extension(const void* key, const std::function<std::shared_ptr<void>()>& make);
  Node* append(std::unique_ptr<Node> node);
  void reorder() const;
  std::string unique_name_locked(const std::string& name);

  const OpRegistry* registry_;
  const Level level_;
  const uint64_t serial_;  // tells graphs apart in thread-local state, also when an address is used again
  mutable std::shared_mutex mutex_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, Node*, std::less<>> by_name_;
  std::map<std::string, int, std::less<>> used_names_;  // lower case -> last suffix
  std::map<std::string, std::vector<Output>> collections_;
  std::map<const void*, std::shared_ptr<void>> extensions_;
  std::map<const Node*, GradientFunction> gradients_;
  Graph* const outermost_ = nullptr;  // of a body: the graph whose library has it
  const std::string function_name_;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
  bool late_edges_ = false;
  mutable std::vector<int> order_;
  bool finalized_ = false;
  bool has_seed_ = false;
  int64_t seed_ = 0;
  int64_t derived_seeds_ = 0;
};

// Guards, as TensorFlow's `with` statements; each holds until it goes out of scope, on its thread.
class VF_API NameScope {
 public:
  // Made unique; a name that ends in "/" re-enters that scope as it is; "" goes to the root.
  NameScope(Graph& graph, const std::string& name);
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;
  const std::string& name() const { return name_; }  // "a/b/"

 private:
  Graph& graph_;
  std::string previous_;
  std::string name_;
};

// Nodes made while it holds run after `nodes`.
class VF_API ControlDependencies {
 public:
  ControlDependencies(Graph& graph, std::vector<Node*> nodes);
  ControlDependencies(Graph& graph, std::initializer_list<Output> outputs);
  ~ControlDependencies();
  ControlDependencies(const ControlDependencies&) = delete;
  ControlDependencies& operator=(const ControlDependencies&) = delete;

 private:
  Graph& graph_;
};

// TensorFlow's gradient_override_map: nodes of these op types that are made while it holds carry the name of a gradient
// of the registry (attribute `_gradient_op_type`), which gradients() takes in place of the op's. Inner guards win.
class VF_API GradientOverride {
 public:
  GradientOverride(Graph& graph, std::map<std::string, std::string> gradient_of_type);
  ~GradientOverride();
  GradientOverride(const GradientOverride&) = delete;
  GradientOverride& operator=(const GradientOverride&) = delete;

 private:
  Graph& graph_;
};

}  // namespace vf
