#pragma once
// Gradients behind a ReLU and a max-pooling of 2x2 windows side by side: of the gradient for the ReLU's input, one
// element of each window is not zero. What follows from it is computed without making it.
//
// Floats, NHWC. activations [batch, in_h, in_w, channels] are the ReLU's outputs, pooled and gradients
// [batch, out_h, out_w, channels] what the pooling made of them and the gradient for that. As in max_pool_gradient.h
// a gradient goes to the first largest element of its window, here where that is positive. Same bits on any number of
// threads. Scratch is 64-byte aligned and of any content.
#include <cstddef>

#include "cpu/convolution_shape.h"
#include "cpu/isa.h"
#include "cpu/pooling_shape.h"

namespace vf::cpu {

// The sum over batch, height and width, of any max-pooling: bias[c] = sum of gradients where pooled is positive.
size_t pooled_bias_gradient_scratch(int64_t channels);
void pooled_bias_gradient(const PoolingShape& shape, const float* pooled, const float* gradients, float* bias,
                          void* scratch, int threads, Isa isa = active_isa());

// Whether the gradient of the convolution's weights can be computed so: few input channels, stride 1, windows that cut
// its outputs into squares of 2x2.
bool pooled_weights_gradient_fits(const PoolingShape& pooling, const ConvolutionShape& convolution);
size_t pooled_weights_gradient_scratch(const ConvolutionShape& convolution, int threads);
// weights [k_h, k_w, in_c, out_c] of the convolution of `images` that made the ReLU's input.
void pooled_weights_gradient(const PoolingShape& pooling, const ConvolutionShape& convolution, const float* images,
                             const float* activations, const float* gradients, float* weights, void* scratch,
                             int threads, Isa isa = active_isa());

}  // namespace vf::cpu
