#pragma once
#include "varflow/graph.h"
#include "varflow/op.h"

namespace vf {

// What the node's op does to the variable behind input i.
Access access_of(const Node& node, int input);

// Shape that shape rules see for input i when the graph is built: the variable's own where the op accesses it
// through a handle.
Shape static_input_shape(const Node& node, int input);

// The node that owns the variable which `output` refers to: VariableV2 or VarHandleOp, through ops that hand a
// reference or a handle on (Assign, Identity of a handle, While); in the body of a function it may be the Placeholder
// of an argument. nullptr where `output` is a plain value.
Node* variable_of(const Output& output);

// The variable whose live value `output` shows: `output` is a reference, or an Identity chain of one ("v/read").
// A node with such an input reads the variable when it runs. nullptr elsewhere.
Node* live_variable(const Output& output);

}  // namespace vf
