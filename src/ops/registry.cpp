#include "ops/register.h"

namespace vf {

OpRegistry OpRegistry::with_standard_ops() {
  OpRegistry r;
  r.set_family("array");
  register_array_ops(r);
  r.set_family("control_flow");
  register_control_flow_ops(r);
  r.set_family("logging");
  register_logging_ops(r);
  r.set_family("math");
  register_math_ops(r);
  r.set_family("state");
  register_state_ops(r);
  r.set_family("nn");
  register_nn_ops(r);
  r.set_family("random");
  register_random_ops(r);
  r.set_family("training");
  register_training_ops(r);
  r.set_family("user");
  return r;
}

const OpRegistry& OpRegistry::standard() {
  // Lives as long as the program: graphs may be destroyed very late.
  static const OpRegistry* const registry = new OpRegistry(with_standard_ops());
  return *registry;
}

}  // namespace vf
