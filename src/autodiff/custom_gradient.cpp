#include "varflow/gradients.h"
#include "varflow/op.h"

namespace vf {

// As TensorFlow: an IdentityN of outputs and inputs carries the gradient, and what flows to the outputs goes on to the
// inputs, past the nodes in between.
std::vector<Output> custom_gradient(const std::vector<Output>& outputs, const std::vector<Output>& inputs,
                                    CustomGradient gradient) {
  if (outputs.empty()) throw Error(Code::InvalidArgument, "a custom gradient needs at least one output");
  std::vector<Operand> all(outputs.begin(), outputs.end());
  all.insert(all.end(), inputs.begin(), inputs.end());
  Graph& graph = outputs[0].graph();
  Node* node = NodeBuilder(graph, "IdentityN").inputs(std::move(all)).build();
  const size_t n = outputs.size();
  const size_t m = inputs.size();
  graph.set_gradient(node, [n, m, gradient = std::move(gradient)](GradientContext& g) {
    std::vector<Output> flowing;
    for (size_t i = 0; i < n; ++i) flowing.push_back(g.gradient(static_cast<int>(i)));
    const std::vector<Output> result = gradient(flowing);
    if (result.size() != m)
      throw Error(Code::InvalidArgument, g.node().type(), g.node().name(),
                  "custom_gradient function expected to return " + std::to_string(m) + " gradients, but returned " +
                      std::to_string(result.size()) + " instead.");
    for (size_t i = 0; i < m; ++i)
      if (result[i]) g.set(static_cast<int>(n + i), result[i]);
  });
  std::vector<Output> values;
  for (size_t i = 0; i < n; ++i) values.emplace_back(node, static_cast<int>(i));
  return values;
}

}  // namespace vf
