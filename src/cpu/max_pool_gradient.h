#pragma once
// The gradient of max pooling over NHWC floats: each output's gradient goes to the first element, in row order, that
// is the largest of its window, as TensorFlow's MaxPoolGrad on a CPU does it. A NaN counts as the largest where it
// comes first in a window, and never otherwise; where several outputs chose one element, their gradients are added in
// row order of the outputs. Finds the largest again from the source, as the op has no record of the forward pass: one
// more reading of memory.

#include "cpu/isa.h"
#include "cpu/pooling_shape.h"

namespace vf::cpu {

// source [batch, in_h, in_w, channels]; d_destination [batch, out_h, out_w, channels]; writes all of d_source, which
// has source's shape. With `relu` the source is what a ReLU made, and d_source is for the ReLU's input: zero where the
// largest is not positive. Same bits on any number of threads and any instruction set.
void max_pool_gradient(const PoolingShape& shape, const float* source, const float* d_destination, float* d_source,
                       int threads, bool relu = false, Isa isa = active_isa());

}  // namespace vf::cpu
