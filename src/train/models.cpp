#include "train/models.h"

#include "varflow/layers.h"
#include "varflow/operators.h"

namespace vf::train {
namespace {

// Of ResNet-18's batch normalization.
constexpr double kEpsilon = 1e-3;
constexpr double kMovingAverageDecay = 0.9;

// Seeds of the ops follow the run's seed, so that adding an op elsewhere changes no number.
constexpr int64_t kDropoutSeed = 1000;

Output lenet(const Model& m, const ModelOptions& o, int classes) {
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
  return dense_layer(x, classes, "dense2");
}

Output mlp(const Model& m, int classes) {
  Output x = flatten(m.images);
  x = dense_layer(x, 512, "dense1", {.activation = Activation::Relu});
  x = dense_layer(x, 512, "dense2", {.activation = Activation::Relu});
  return dense_layer(x, classes, "dense3");
}

// How many of the logits are largest where the label says so.
Output count_right(const Output& predictions, const Output& labels, const std::string& name) {
  const Output right = make("Equal", {predictions, make("Cast", {labels}, {{"DstT", DType::Int64}})});
  return make("Sum", {make("Cast", {right}, {{"DstT", DType::Float}}), Tensor::vector<int32_t>({0})}, {}, name);
}

std::unique_ptr<Optimizer> make_optimizer(const ModelOptions& o) {
  const auto rate = [&](float usual) { return o.learning_rate > 0 ? o.learning_rate : usual; };
  if (o.optimizer == "momentum") return std::make_unique<MomentumOptimizer>(rate(0.04F), 0.9F);
  if (o.optimizer == "adam") return std::make_unique<AdamOptimizer>(rate(0.001F));
  if (o.optimizer == "gradient_descent" || o.optimizer == "sgd")
    return std::make_unique<GradientDescentOptimizer>(rate(0.1F));
  throw Error(Code::InvalidArgument,
              "unknown optimizer '" + o.optimizer + "'; there are: momentum, adam, gradient_descent");
}

}  // namespace

Output resnet18(const Output& images, int64_t classes, bool training, const std::function<Initializer()>& kernel) {
  Graph& graph = images.graph();
  const auto normalized = [&](const Output& x, const std::string& name, int64_t size, int64_t channels,
                              int64_t stride) {
    const Output y = convolution_layer(x, channels, name,
                                       {.kernel_size = size,
                                        .stride = stride,
                                        .use_bias = false,
                                        .kernel_initializer = kernel ? kernel() : Initializer()});
    return batch_norm_layer(y, name, {.momentum = kMovingAverageDecay, .epsilon = kEpsilon, .training = training});
  };
  Output x = make("Relu", {normalized(images, "stem", 3, 64, 1)});
  int64_t channels = 64;
  for (int stage = 1; stage <= 4; ++stage, channels *= 2) {
    for (int block = 1; block <= 2; ++block) {
      const VariableScope scope(graph, "stage" + std::to_string(stage) + "/block" + std::to_string(block));
      const int64_t stride = stage > 1 && block == 1 ? 2 : 1;
      const Output shortcut = stride == 2 ? normalized(x, "projection", 1, channels, stride) : x;
      const Output y = make("Relu", {normalized(x, "conv1", 3, channels, stride)});
      x = make("Relu", {normalized(y, "conv2", 3, channels, 1) + shortcut});
    }
  }
  x = make("Mean", {x, Tensor::vector<int32_t>({1, 2})});
  return dense_layer(x, classes, "dense", {.kernel_initializer = kernel ? kernel() : Initializer()});
}

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
  Output tested;  // where evaluation needs a network of its own, on the same variables
  if (o.name == "lenet") {
    logits = lenet(m, o, classes);
  } else if (o.name == "mlp") {
    logits = mlp(m, classes);
  } else if (o.name == "resnet18") {
    logits = resnet18(m.images, classes, true);
    const VariableScope again(graph, "", {.reuse = Reuse::Yes});
    const NameScope names(graph, "evaluation");
    tested = resnet18(m.images, classes, false);
  } else {
    throw Error(Code::InvalidArgument, "unknown model '" + o.name + "'; there are: lenet, mlp, resnet18");
  }
  m.loss = mean_sparse_softmax_cross_entropy(m.labels, logits);
  m.predictions = make("ArgMax", {tested ? tested : logits, Tensor(1)}, {}, "predictions");
  m.test_correct = count_right(m.predictions, m.labels, "test_correct");
  m.correct = tested ? count_right(make("ArgMax", {logits, Tensor(1)}), m.labels, "correct") : m.test_correct;
  std::vector<Node*> updates = {m.optimizer->minimize(m.loss)};
  for (const Output& update : graph.collection("update_ops")) updates.push_back(update.node);
  m.train_op = group(graph, updates, "train");
  for (const Variable& v : trainable_variables(graph))
    if (v.name().ends_with("/kernel")) m.kernels.push_back(v);
  return m;
}

}  // namespace vf::train
