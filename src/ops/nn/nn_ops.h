#pragma once
#include "varflow/op.h"

namespace vf {

void register_convolution_ops(OpRegistry& r);
void register_bias_ops(OpRegistry& r);
void register_pooling_ops(OpRegistry& r);
void register_softmax_ops(OpRegistry& r);
void register_batch_norm_ops(OpRegistry& r);

}  // namespace vf
