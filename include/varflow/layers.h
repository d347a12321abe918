#pragma once
#include <cstdint>
#include <string>

#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/variables.h"

namespace vf {

enum class Activation { None, Relu };

struct ConvolutionOptions {
  int64_t kernel_size = 3;
  int64_t stride = 1;
  std::string padding = "SAME";
  bool use_bias = true;
  Activation activation = Activation::None;
  Initializer kernel_initializer = {};  // default: the scope's, else glorot_uniform
};
// Variables `name/kernel` [size, size, in, filters] and `name/bias`; x is [batch, height, width, in].
VF_API Output convolution_layer(const Output& x, int64_t filters, const std::string& name,
                                const ConvolutionOptions& options = {});

struct DenseOptions {
  Activation activation = Activation::None;
  Initializer kernel_initializer = {};
};
// Variables `name/kernel` [in, units] and `name/bias`; x is [batch, in].
VF_API Output dense_layer(const Output& x, int64_t units, const std::string& name, const DenseOptions& options = {});

struct BatchNormOptions {
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool training = true;
};
// Variables `name/gamma`, `beta`, `moving_mean`, `moving_variance`. In training the updates of the moving averages join
// the collection "update_ops" as their assigns' outputs; make the training op depend on them.
VF_API Output batch_norm_layer(const Output& x, const std::string& name, const BatchNormOptions& options = {});

VF_API Output max_pool(const Output& x, int64_t size, int64_t stride, const std::string& padding = "SAME",
                       const std::string& name = "MaxPool");
// [batch, ...] as [batch, everything else].
VF_API Output flatten(const Output& x);
// The mean over the batch of the cross entropy between logits [batch, classes] and integer labels [batch].
VF_API Output mean_sparse_softmax_cross_entropy(const Output& labels, const Output& logits);

}  // namespace vf
