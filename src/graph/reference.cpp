#include "graph/reference.h"

namespace vf {

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
  const Shape* shape = variable_of(in)->attr_value("shape").get<Shape>();
  return shape ? *shape : Shape::unknown();
}

Node* variable_of(const Output& output) {
  const Node* n = output.node;
  if (!output.is_ref() && output.dtype() != DType::Resource) return nullptr;
  while (!n->inputs().empty()) n = n->input(0).node;  // ops hand on the reference or handle of their first input
  return const_cast<Node*>(n);
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
