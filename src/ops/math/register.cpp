#include "ops/register.h"
#include "ops/math/math_ops.h"

namespace vf {

void register_math_ops(OpRegistry& r) {
  register_arithmetic_ops(r);
  register_division_ops(r);
  register_power_ops(r);
  register_rounding_ops(r);
  register_trigonometric_ops(r);
  register_activation_ops(r);
  register_comparison_ops(r);
  register_bitwise_ops(r);
  register_selection_ops(r);
  register_cast_ops(r);
  register_matmul_ops(r);
  register_reduction_ops(r);
  register_arg_extreme_ops(r);
  register_l2_loss_op(r);
  register_cumulative_ops(r);
  register_segment_ops(r);
  register_diagonal_ops(r);
  register_qr_op(r);
}

}  // namespace vf
