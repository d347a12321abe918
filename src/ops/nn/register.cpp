#include "ops/register.h"
#include "ops/nn/nn_ops.h"

namespace vf {

void register_nn_ops(OpRegistry& r) {
  register_convolution_ops(r);
  register_bias_ops(r);
  register_pooling_ops(r);
  register_softmax_ops(r);
  register_batch_norm_ops(r);
}

}  // namespace vf
