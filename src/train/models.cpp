#include "train/models.h"

#include "varflow/layers.h"
#include "varflow/operators.h"

namespace vf::train {
namespace {

// Seeds of the ops follow the run's seed, so that adding an op elsewhere changes no number.
constexpr int64_t kDropoutSeed = 1000;

Output lenet(const Model& m, const ModelOptions& o, int classes) {
  Graph& graph = m.images.graph();
  ConvolutionOptions conv{.kernel_size = 5, .activation = Activation::Relu};
  if (!o.first_kernel.empty()) conv.kernel_initializer = from_npy(o.first_kernel);
  Output x = convolution_layer(m.images, 32, "conv1", conv);
  x = max_pool(x, 2, 2, "SAME", "pool1");
  conv.kernel_initializer = {};
  x = max_pool(convolution_layer(x, 64, "conv2", conv), 2, 2, "SAME", "pool2");
  x = dense_layer(flatten(x), 512, "dense1", {.activation = Activation::Relu});
  // Evaluation feeds false and takes x itself.
  const Output dropped = dropout(x, 0.4, {.seed = o.seed + kDropoutSeed});
  x = make("SelectV2", {m.training, dropped, x}, {}, "dropout_or_not");
  static_cast<void>(graph);
  return dense_layer(x, classes, "dense2");
}

Output mlp(const Model& m, int classes) {
  Output x = flatten(m.images);
  x = dense_layer(x, 512, "dense1", {.activation = Activation::Relu});
  x = dense_layer(x, 512, "dense2", {.activation = Activation::Relu});
  return dense_layer(x, classes, "dense3");
}

std::unique_ptr<Optimizer> make_optimizer(const ModelOptions& o) {
  const auto rate = [&](float usual) { return o.learning_rate > 0 ? o.learning_rate : usual; };
  if (o.optimizer == "momentum") return std::make_unique<MomentumOptimizer>(rate(0.02F), 0.9F);
  if (o.optimizer == "adam") return std::make_unique<AdamOptimizer>(rate(0.001F));
  if (o.optimizer == "gradient_descent" || o.optimizer == "sgd")
    return std::make_unique<GradientDescentOptimizer>(rate(0.1F));
  throw Error(Code::InvalidArgument,
              "unknown optimizer '" + o.optimizer + "'; there are: momentum, adam, gradient_descent");
}

}  // namespace

Model make_model(Graph& graph, const ModelOptions& o, const Shape& image_shape, int classes) {
  graph.set_random_seed(o.seed);
  Model m;
  Shape batch{Shape::kUnknown};
  for (int64_t d : image_shape.dims()) batch.add_dim(d);
  m.images = placeholder(graph, DType::Float, batch, "images");
  m.labels = placeholder(graph, DType::Int32, Shape{Shape::kUnknown}, "labels");
  m.training = placeholder(graph, DType::Bool, Shape{}, "training");
  m.optimizer = make_optimizer(o);
  Output logits;
  if (o.name == "lenet")
    logits = lenet(m, o, classes);
  else if (o.name == "mlp")
    logits = mlp(m, classes);
  else
    throw Error(Code::InvalidArgument, "unknown model '" + o.name + "'; there are: lenet, mlp");
  m.loss = mean_sparse_softmax_cross_entropy(m.labels, logits);
  m.predictions = make("ArgMax", {logits, Tensor(1)}, {}, "predictions");
  const Output right = make("Equal", {m.predictions, make("Cast", {m.labels}, {{"DstT", DType::Int64}})});
  m.correct =
      make("Sum", {make("Cast", {right}, {{"DstT", DType::Float}}), Tensor::vector<int32_t>({0})}, {}, "correct");
  m.train_op = m.optimizer->minimize(m.loss);
  for (const Variable& v : trainable_variables(graph))
    if (v.name().ends_with("/kernel")) m.kernels.push_back(v);
  return m;
}

}  // namespace vf::train
