#include "graph/reference.h"

#include "varflow/function.h"

namespace vf {
namespace {

// The input of `o`'s node whose reference or handle the output hands on; empty where a function is missing.
Output handed_on(const Output& o) {
  const Node& n = *o.node;
  if (n.op().block == BlockKind::Loop) return n.input(o.index);
  if (n.op().block == BlockKind::None) return n.input(0);
  const Function* f = n.graph().find_function(n.attr<FunctionName>(n.op().bodies[0]).name);
  if (!f || static_cast<size_t>(o.index) >= f->results().size()) return {};
  const Node* argument = variable_of(f->results()[static_cast<size_t>(o.index)]);
  for (size_t i = 0; i < f->arguments().size(); ++i)
    if (f->arguments()[i].node == argument) return n.input(static_cast<int>(i) + 1);
  return {};
}

}  // namespace

Access access_of(const Node& node, int input) {
  if (node.op().accesses.empty()) return Access::None;
  for (const auto& [name, access] : node.op().accesses) {
    const auto [first, count] = node.input_range(name);
    if (input >= first && input < first + count) return access;
  }
  return Access::None;
}

Shape static_input_shape(const Node& node, int input) {
  const Output& in = node.input(input);
  if (in.dtype() != DType::Resource || access_of(node, input) == Access::None) return in.shape();
  const Node* variable = variable_of(in);
  if (!variable) return Shape::unknown();
  if (const AttrValue* behind = variable->attrs().find("_handle_shapes")) {  // an argument of a function
    const auto* shapes = behind->get<std::vector<Shape>>();
    return shapes && !shapes->empty() ? shapes->front() : Shape::unknown();
  }
  const Shape* shape = variable->attr_value("shape").get<Shape>();
  return shape ? *shape : Shape::unknown();
}

Node* variable_of(const Output& output) {
  if (!output.is_ref() && output.dtype() != DType::Resource) return nullptr;
  Output o = output;
  while (o && !o.node->inputs().empty()) o = handed_on(o);
  return o.node;
}

Node* live_variable(const Output& output) {
  Output o = output;
  while (!o.is_ref()) {
    if (!o.node->op().passes_reference || o.dtype() == DType::Resource) return nullptr;
    o = o.node->input(0);
  }
  return variable_of(o);
}

}  // namespace vf
