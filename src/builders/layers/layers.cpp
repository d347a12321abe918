#include "varflow/layers.h"

#include "varflow/operators.h"

namespace vf {
namespace {

Output activate(const Output& x, Activation activation) {
  return activation == Activation::Relu ? make("Relu", {x}) : x;
}

int64_t known_size(const Output& x, int dim, const std::string& name) {
  const Shape& s = x.shape();
  if (!s.has_rank() || s.dim(dim) < 0)
    throw Error(Code::InvalidArgument,
                "layer " + name + " needs to know the size of its input's last dimension: " + s.str());
  return s.dim(dim);
}

}  // namespace

Output convolution_layer(const Output& x, int64_t filters, const std::string& name, const ConvolutionOptions& o) {
  Graph& graph = x.graph();
  const VariableScope scope(graph, name);
  const Variable kernel =
      get_variable(graph, "kernel", Shape{o.kernel_size, o.kernel_size, known_size(x, -1, name), filters},
                   {.initializer = o.kernel_initializer});
  const AttrMap attrs = {{"strides", std::vector<int64_t>{1, o.stride, o.stride, 1}}, {"padding", o.padding}};
  Output y = make("Conv2D", {x, kernel}, attrs);
  if (o.use_bias) {
    const Variable bias = get_variable(graph, "bias", Shape{filters}, {.initializer = zeros_initializer()});
    y = make("BiasAdd", {y, bias});
  }
  return activate(y, o.activation);
}

Output dense_layer(const Output& x, int64_t units, const std::string& name, const DenseOptions& o) {
  Graph& graph = x.graph();
  const VariableScope scope(graph, name);
  const Variable kernel =
      get_variable(graph, "kernel", Shape{known_size(x, -1, name), units}, {.initializer = o.kernel_initializer});
  const Variable bias = get_variable(graph, "bias", Shape{units}, {.initializer = zeros_initializer()});
  return activate(make("BiasAdd", {make("MatMul", {x, kernel}), bias}), o.activation);
}

Output batch_norm_layer(const Output& x, const std::string& name, const BatchNormOptions& o) {
  Graph& graph = x.graph();
  const VariableScope scope(graph, name);
  const Shape channels{known_size(x, -1, name)};
  const Variable gamma = get_variable(graph, "gamma", channels, {.initializer = ones_initializer()});
  const Variable beta = get_variable(graph, "beta", channels, {.initializer = zeros_initializer()});
  const Variable mean =
      get_variable(graph, "moving_mean", channels, {.initializer = zeros_initializer(), .trainable = false});
  const Variable variance =
      get_variable(graph, "moving_variance", channels, {.initializer = ones_initializer(), .trainable = false});
  const AttrMap attrs = {{"epsilon", o.epsilon}, {"is_training", o.training}};
  if (!o.training) return make("FusedBatchNormV3", {x, gamma, beta, mean, variance}, attrs);
  const Output none = constant(graph, Tensor(DType::Float, Shape{0}));
  const Output y = make("FusedBatchNormV3", {x, gamma, beta, none, none}, attrs);
  for (const auto& [moving, index] : {std::pair{mean, 1}, {variance, 2}}) {
    const Output step = (moving - Output(y.node, index)) * static_cast<float>(1 - o.momentum);
    graph.add_to_collection("update_ops", assign_sub(moving, step));
  }
  return y;
}

Output max_pool(const Output& x, int64_t size, int64_t stride, const std::string& padding, const std::string& name) {
  return make("MaxPool", {x},
              {{"ksize", std::vector<int64_t>{1, size, size, 1}},
               {"strides", std::vector<int64_t>{1, stride, stride, 1}},
               {"padding", padding}},
              name);
}

Output flatten(const Output& x) {
  const Shape& s = x.shape();
  int64_t size = 1;
  for (int i = 1; i < s.rank(); ++i) size *= known_size(x, i, "flatten");
  return make("Reshape", {x, Tensor::vector<int32_t>({-1, static_cast<int32_t>(size)})});
}

Output mean_sparse_softmax_cross_entropy(const Output& labels, const Output& logits) {
  const Output loss = make("SparseSoftmaxCrossEntropyWithLogits", {logits, labels});
  return make("Mean", {loss, Tensor::vector<int32_t>({0})});
}

}  // namespace vf
