#pragma once
// What TensorFlow composes of array ops.
#include <string>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

// TensorFlow's tf.boolean_mask: the slices of `tensor` where `mask` (bool, of known rank, not a scalar) is true. The
// mask's shape is that of `tensor` from dimension `axis` on; those dimensions become one.
VF_API Output boolean_mask(const Output& tensor, const Operand& mask, int axis = 0,
                           const std::string& name = "boolean_mask");

}  // namespace vf
