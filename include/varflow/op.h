#pragma once
// How an op is described: signature, shape rule, kernels, gradient, doc and example in one block,
//   registry.op("Softmax").in("logits: T").out("softmax: T").attr("T: {half, bfloat16, float, double}")...
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "varflow/attr.h"
#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/kernel.h"

namespace vf {

// One input or output of a signature: "x: T", "values: N * T", "inputs: Tin", "ref: Ref(T)", "handle: resource".
struct ArgSpec {
  std::string name;
  DType dtype = DType::Invalid;  // where the type is fixed
  std::string type_attr;         // where an attribute of kind type gives it
  std::string number_attr;       // where it is a list of N alike
  std::string type_list_attr;    // where an attribute of kind list(type) gives types and length
  bool is_ref = false;
};

// One attribute of a signature: "T: {half, float}", "strides: list(int)", "N: int >= 1", "seed: int = 0",
// "padding: {'SAME', 'VALID'}".
struct AttrSpec {
  std::string name;
  std::string kind;  // "type", "int", "list(int)", ...
  AttrValue default_value;
  std::vector<DType> allowed_types;
  std::vector<std::string> allowed_strings;
  std::optional<int64_t> minimum;
};

// What an op does to the variable that one of its inputs names.
enum class Access : uint8_t {
  None,       // a plain value, or a handle that is only passed on
  Peek,       // asks whether it is initialized
  Read,       // needs its value
  Overwrite,  // replaces all of it; may be uninitialized before
  Update,     // changes it; reads it too
};

// Ops that run functions of the graph's library as parts of the plan.
enum class BlockKind : uint8_t {
  None,
  Branch,  // the first input picks one of two bodies, which take the others: true the first, false the second
  Loop,    // a condition and a body, which take all inputs
};

// Concrete or partial shapes in, shapes out. Shapes may be unknown when a graph is built; never when a plan is made.
// An input that names a variable which the op accesses has the variable's shape.
class VF_API ShapeContext {
 public:
  ShapeContext(const Node& node, std::span<const Shape> inputs, std::span<const Tensor* const> constants,
               std::span<Shape> outputs)
      : node_(node), inputs_(inputs), constants_(constants), outputs_(outputs) {}
  const Node& node() const { return node_; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  const Shape& input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  // The input's value where it is known, else nullptr: when a plan is made, the asking rule is then called again once
  // the value is there.
  const Tensor* constant(int i) const {
    if (!constants_[static_cast<size_t>(i)]) asked_ |= uint64_t{1} << (i & 63);
    return constants_[static_cast<size_t>(i)];
  }
  // Bit i: constant(i) was asked for and unknown.
  uint64_t asked() const { return asked_; }
  // The shape that the variable behind input i has after the op; unchanged where nothing is said.
  void set_variable(int i, const Shape& shape) { variable_shapes_.emplace_back(i, shape); }
  const std::vector<std::pair<int, Shape>>& variable_shapes() const { return variable_shapes_; }
  // A known integer vector or scalar as numbers; nullopt where unknown.
  std::optional<std::vector<int64_t>> constant_ints(int i) const;
  template <class T>
  const T& attr(std::string_view name) const {
    return node_.attr<T>(name);
  }
  void set_output(int i, const Shape& shape) { outputs_[static_cast<size_t>(i)] = shape; }
  // Says that the shape of output i depends on the values of inputs: its kernel makes it with KernelRun::set_output.
  // What is known of the shape may be set beside.
  void set_dynamic(int i) { dynamic_ |= uint64_t{1} << (i & 63); }
  bool dynamic(int i) const { return dynamic_ >> (i & 63) & 1; }
  // Throws InvalidArgument that names the node and lists the input shapes.
  [[noreturn]] void fail(const std::string& message) const;
  void expect_rank(int input, int rank) const;

 private:
  const Node& node_;
  std::span<const Shape> inputs_;
  std::span<const Tensor* const> constants_;
  std::span<Shape> outputs_;
  std::vector<std::pair<int, Shape>> variable_shapes_;
  mutable uint64_t asked_ = 0;
  uint64_t dynamic_ = 0;
};

// What a gradient function sees: the forward node, gradients of its outputs, and the way to build nodes.
class VF_API GradientContext {
 public:
  GradientContext(Node& forward, std::vector<Output> output_gradients)
      : forward_(forward), output_gradients_(std::move(output_gradients)), results_(forward.inputs().size()) {}
  Node& node() const { return forward_; }
  Output input(int i) const { return forward_.input(i); }
  Output output(int i = 0) const { return Output(&forward_, i); }
  // dL/d(output i); zeros are built where nothing flows back.
  Output gradient(int i = 0);
  bool has_gradient(int i) const { return static_cast<bool>(output_gradients_[static_cast<size_t>(i)]); }
  // Sets dL/d(input i); unset inputs have no gradient. InvalidArgument where the node has no such input.
  void set(int i, Output gradient);
  Output make(const std::string& op, std::vector<Operand> inputs, const AttrMap& attrs = {}) const {
    return vf::make(forward_.graph(), op, std::move(inputs), attrs);
  }
  const std::vector<Output>& results() const { return results_; }

 private:
  Node& forward_;
  std::vector<Output> output_gradients_;
  std::vector<Output> results_;
};

using ShapeFunction = std::function<void(ShapeContext&)>;
// Makes a kernel for concrete shapes; nullptr declines (another dtype, a shape that it has no fast way for).
using KernelFunction = std::function<std::unique_ptr<Kernel>(KernelMake&)>;

// One input of an example: random values of a shape, or these values.
struct ExampleInput {
  Shape shape;
  Tensor value;
  ExampleInput(Shape s) : shape(s) {}
  ExampleInput(std::initializer_list<int64_t> dims) : shape(dims) {}
  ExampleInput(Tensor v) : shape(v.shape()), value(std::move(v)) {}
};

// A small use of an op that tests and benchmarks run. Random inputs lie in [low, high], at least `kink_distance` away
// from each of `kinks`, where the gradient jumps.
struct Example {
  std::vector<ExampleInput> inputs;
  AttrMap attrs{};
  double low = -1;
  double high = 1;
  std::vector<double> kinks{};
  bool gradient = true;  // false: the example is for values only
};

class VF_API OpDef {
 public:
  std::string name;
  std::vector<ArgSpec> inputs;
  std::vector<ArgSpec> outputs;
  std::vector<AttrSpec> attrs;
  std::string doc;
  std::string family;         // "math", "nn", ...: the header that its generated builder is in
  std::string function_name;  // of the generated builder: "matmul"; from `name` where empty

  bool stateful = false;  // never folded, merged or dropped
  bool commutative = false;
  bool aggregate = false;
  bool allows_uninitialized_input = false;
  bool alias = false;             // output 0 has the bytes of input 0: no work, only another shape
  bool constant = false;          // the attribute `value` is the output
  bool passes_reference = false;  // shows a reference's live value, as Identity does
  bool placeholder = false;       // has no value of its own: what a run feeds stands for all of it
  bool shape_only = false;        // reads shapes of its inputs, not their values
  bool random = false;            // draws numbers: compared by a replayed mask
  BlockKind block = BlockKind::None;
  std::vector<std::string> bodies;         // attributes of a block that name its functions, in the order of BlockKind
  std::map<std::string, Access> accesses;  // by input name

  ShapeFunction shape;
  KernelFunction fast;       // tried first
  KernelFunction reference;  // small and obviously right
  GradientFunction gradient;
  bool no_gradient = false;  // declared to have none
  std::vector<Example> examples;

  const AttrSpec* find_attr(std::string_view attr_name) const;
  const ArgSpec* find_input(std::string_view input_name) const;
  // "Conv2D(input: T, ...) -> (output: T) {T: {...}, ...} [stateful]": one line, the form of TensorFlow's registry.
  std::string signature() const;
};

// The chain that describes one op. Specs are TensorFlow's mini-language; a spec that does not parse throws.
class VF_API OpBuilder {
 public:
  explicit OpBuilder(OpDef& op) : op_(op) {}
  OpBuilder& in(const std::string& spec);
  OpBuilder& out(const std::string& spec);
  OpBuilder& attr(const std::string& spec);
  OpBuilder& doc(std::string text);
  // Name of the generated builder function, where it is not the op's own in snake case.
  OpBuilder& function(std::string name);
  OpBuilder& stateful();
  OpBuilder& commutative();
  OpBuilder& aggregate();
  OpBuilder& alias();
  OpBuilder& constant();
  OpBuilder& passes_reference();
  OpBuilder& placeholder();
  OpBuilder& shape_only();
  OpBuilder& random();
  OpBuilder& branch(const std::string& then_attr, const std::string& else_attr);
  OpBuilder& loop(const std::string& cond_attr, const std::string& body_attr);
  OpBuilder& peeks(const std::string& input);
  OpBuilder& reads(const std::string& input);
  OpBuilder& overwrites(const std::string& input);
  OpBuilder& updates(const std::string& input);
  OpBuilder& allows_uninitialized_input();
  OpBuilder& shape(ShapeFunction function);
  OpBuilder& fast(KernelFunction function);
  OpBuilder& cpu(KernelFunction function);
  OpBuilder& grad(GradientFunction function);
  OpBuilder& no_grad();
  OpBuilder& example(Example example);

 private:
  OpDef& op_;
};

// All ops that a graph may use. Filled first, then only read: thread-safe. It must outlive its graphs.
class VF_API OpRegistry {
 public:
  OpRegistry() = default;  // empty
  OpRegistry(OpRegistry&&) = default;
  OpRegistry& operator=(OpRegistry&&) = default;
  // The family of the ops that are registered from here on.
  void set_family(std::string family) { family_ = std::move(family); }
  // Starts an op; AlreadyExists where the name is taken.
  OpBuilder op(const std::string& name);
  // nullptr where it is unknown.
  const OpDef* find(std::string_view name) const;
  // In order of registration.
  const std::vector<std::unique_ptr<OpDef>>& ops() const { return ops_; }
  // Gradients that a graph can name in place of an op's own (gradient_override_map).
  void gradient(const std::string& name, GradientFunction function);
  const GradientFunction* find_gradient(std::string_view name) const;

  // Varflow's own ops, filled once.
  static const OpRegistry& standard();
  // One of the program's own that starts with them: add ops and gradients, and make graphs with it.
  static OpRegistry with_standard_ops();

 private:
  std::string family_ = "user";
  std::vector<std::unique_ptr<OpDef>> ops_;
  std::map<std::string, OpDef*, std::less<>> by_name_;
  std::map<std::string, GradientFunction, std::less<>> gradients_;
};

}  // namespace vf
