#include "ops/register.h"

namespace vf {

const OpRegistry& OpRegistry::standard() {
  static const OpRegistry* const registry = [] {
    auto* r = new OpRegistry();  // lives as long as the program: graphs may be destroyed very late
    r->set_family("array");
    register_array_ops(*r);
    r->set_family("control_flow");
    register_control_flow_ops(*r);
    r->set_family("math");
    register_math_ops(*r);
    r->set_family("state");
    register_state_ops(*r);
    r->set_family("nn");
    register_nn_ops(*r);
    r->set_family("random");
    register_random_ops(*r);
    r->set_family("training");
    register_training_ops(*r);
    return r;
  }();
  return *registry;
}

}  // namespace vf
