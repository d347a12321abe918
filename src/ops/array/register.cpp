#include "ops/array/array_ops.h"
#include "ops/register.h"

namespace vf {

void register_array_ops(OpRegistry& r) {
  register_source_ops(r);
  register_shape_ops(r);
  register_filling_ops(r);
}

}  // namespace vf
