#pragma once
#include <functional>
#include <string>
#include <vector>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

// Adds nodes that compute d(sum of ys)/dx for each x, and returns their outputs; a null Output where x does not reach
// the ys. `grad_ys` replaces the ones that flow in. An x may be a variable (its reference or handle), any read of it,
// or any other output. A gradient node reads of a variable what its forward node read, whatever is assigned in between.
// For each node the rule is, in this order: the one that a GradientOverride named when it was made, a custom gradient
// of its own, the op's. Errors: NotFound "No gradient defined for operation ..."; InvalidArgument for a grad_y of
// another dtype or shape.
VF_API std::vector<Output> gradients(const std::vector<Output>& ys, const std::vector<Output>& xs,
                                     const std::vector<Output>& grad_ys = {}, const std::string& name = "gradients");

// Builds gradients of inputs from those of outputs; a null Output for an input that has none.
using CustomGradient = std::function<std::vector<Output>(const std::vector<Output>& output_gradients)>;

// tf.custom_gradient: the same values as `outputs`, which some nodes compute from `inputs`; but gradients() takes for
// those nodes what `gradient` builds, one gradient for each input. Where it gives another number, gradients() throws
// InvalidArgument.
VF_API std::vector<Output> custom_gradient(const std::vector<Output>& outputs, const std::vector<Output>& inputs,
                                           CustomGradient gradient);

}  // namespace vf
