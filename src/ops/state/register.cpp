#include "ops/register.h"
#include "ops/state/state_ops.h"

namespace vf {

void register_state_ops(OpRegistry& r) {
  register_reference_variable_ops(r);
  register_resource_variable_ops(r);
  register_scatter_ops(r);
}

}  // namespace vf
