#include "ops/register.h"
#include "ops/array/array_ops.h"

namespace vf {

void register_array_ops(OpRegistry& r) {
  register_source_ops(r);
  register_shape_ops(r);
  register_filling_ops(r);
  register_joining_ops(r);
  register_splitting_ops(r);
  register_slicing_ops(r);
  register_padding_ops(r);
  register_permuting_ops(r);
  register_repeating_ops(r);
  register_gathering_ops(r);
  register_indexing_ops(r);
  register_searching_ops(r);
}

}  // namespace vf
