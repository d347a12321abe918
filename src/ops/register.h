#pragma once
#include "varflow/op.h"

namespace vf {

// One function a family; each calls those of its files.
void register_array_ops(OpRegistry& registry);
void register_control_flow_ops(OpRegistry& registry);
void register_logging_ops(OpRegistry& registry);
void register_math_ops(OpRegistry& registry);
void register_state_ops(OpRegistry& registry);
void register_nn_ops(OpRegistry& registry);
void register_random_ops(OpRegistry& registry);
void register_training_ops(OpRegistry& registry);

}  // namespace vf
