#pragma once
#include <string>
#include <vector>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

// Adds nodes that compute d(sum of ys)/dx for each x, and returns their outputs; a null Output where x does not reach
// the ys. `grad_ys` replaces the ones that flow in. An x may be a variable (its reference or handle), any read of it,
// or any other output. A gradient node reads of a variable what its forward node read, whatever is assigned in between.
// For each node the rule is, in this order: the override that gradient_override_map named, the op's own.
// Errors: NotFound "No gradient defined for operation ..."; InvalidArgument for a grad_y of another dtype or shape.
VF_API std::vector<Output> gradients(const std::vector<Output>& ys, const std::vector<Output>& xs,
                                     const std::vector<Output>& grad_ys = {}, const std::string& name = "gradients");

}  // namespace vf
