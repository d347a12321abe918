#include "ops/register.h"

namespace vf {

const OpRegistry& OpRegistry::standard() {
  static const OpRegistry* const registry = [] {
    auto* r = new OpRegistry();  // lives as long as the program: graphs may be destroyed very late
    register_array_ops(*r);
    register_math_ops(*r);
    register_state_ops(*r);
    register_nn_ops(*r);
    register_random_ops(*r);
    register_training_ops(*r);
    return r;
  }();
  return *registry;
}

}  // namespace vf
