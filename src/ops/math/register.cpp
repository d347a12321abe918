#include "ops/math/math_ops.h"
#include "ops/register.h"

namespace vf {

void register_math_ops(OpRegistry& r) { register_arithmetic_ops(r); }

}  // namespace vf
