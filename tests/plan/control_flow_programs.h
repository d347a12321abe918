#pragma once
// Words for small programs with If and While.
#include <functional>
#include <string>
#include <vector>

#include "varflow/function.h"
#include "varflow/graph.h"

namespace vf::control_flow {

using Outputs = std::vector<Output>;

inline Output constant_of(Graph& graph, const Tensor& value) {
  return make(graph, "Const", {}, {{"dtype", value.dtype()}, {"value", value}});
}

inline Output placeholder_of(Graph& graph, DType dtype, const Shape& shape) {
  return make(graph, "Placeholder", {}, {{"dtype", dtype}, {"shape", shape}});
}

inline Output handle(Graph& graph, const std::string& name, const Shape& shape) {
  return make(graph, "VarHandleOp", {}, {{"dtype", DType::Float}, {"shape", shape}, {"shared_name", name}}, name);
}

inline Output read(const Output& handle) { return make("ReadVariableOp", {handle}, {{"dtype", DType::Float}}); }

inline Node* add(const Output& handle, const Operand& delta, const std::string& name = "") {
  return NodeBuilder("AssignAddVariableOp").input(handle).input(delta).name(name).build();
}

inline Node* make_assign(const Output& handle, const Operand& value, const std::string& name = "") {
  return NodeBuilder("AssignVariableOp").input(handle).input(value).name(name).build();
}

inline Output to_float(const Output& x) { return make("Cast", {x}, {{"DstT", DType::Float}}); }

// While(i < n) over (i, inputs); the body sees i first and gives what follows the next i.
inline Outputs turns(Graph& graph, const std::string& name, const Operand& n, const Outputs& inputs,
                     const std::function<Outputs(Graph&, const Outputs&)>& body) {
  std::vector<FunctionArgument> arguments{{DType::Int32, Shape{}}};
  std::vector<Operand> operands{constant_of(graph, Tensor(0))};
  for (const Output& in : inputs) {
    arguments.push_back({in.dtype()});
    operands.push_back(in);
  }
  const Tensor& limit = n.literal();
  const Function& cond = graph.add_function(name + "_cond", arguments, [&](Graph&, const Outputs& a) -> Outputs {
    return {make("Less", {a[0], limit})};
  });
  const Function& step = graph.add_function(name + "_body", arguments, [&](Graph& g, const Outputs& a) -> Outputs {
    Outputs results = body(g, a);
    results.insert(results.begin(), make("AddV2", {a[0], 1}));
    return results;
  });
  return while_op(operands, cond, step, name);
}

}  // namespace vf::control_flow
