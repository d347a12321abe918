#include "golden_models.h"

#include <algorithm>

#include "train/dataset.h"
#include "train/models.h"
#include "varflow/layers.h"

namespace vf::golden {
namespace {

constexpr double kDropoutRate = 0.4;
constexpr int64_t kDropoutSeed = 100;

// Op seeds 1, 2, ... in the order of creation.
class Kernels {
 public:
  Initializer next() { return glorot_uniform_initializer({.seed = ++seed_}); }

 private:
  int64_t seed_ = 0;
};

Output lenet(const Output& images, bool drop) {
  Kernels kernels;
  Output x = images;
  for (const auto& [name, channels] : {std::pair{"conv1", 32}, {"conv2", 64}}) {
    x = convolution_layer(x, channels, name,
                          {.kernel_size = 5, .activation = Activation::Relu, .kernel_initializer = kernels.next()});
    x = max_pool(x, 2, 2, "SAME");
  }
  x = dense_layer(flatten(x), 512, "dense1", {.activation = Activation::Relu, .kernel_initializer = kernels.next()});
  if (drop) x = dropout(x, kDropoutRate, {.seed = kDropoutSeed});
  return dense_layer(x, 10, "dense2", {.kernel_initializer = kernels.next()});
}

Output mlp(const Output& images) {
  Kernels kernels;
  Output x = images;
  for (const char* name : {"dense1", "dense2"})
    x = dense_layer(x, 512, name, {.activation = Activation::Relu, .kernel_initializer = kernels.next()});
  return dense_layer(x, 10, "dense3", {.kernel_initializer = kernels.next()});
}

}  // namespace

GoldenModel::GoldenModel(const Training& training, int64_t graph_seed) : digits_(training.model != "resnet18") {
  graph->set_random_seed(graph_seed);
  Shape shape{training.batch, 784};
  if (training.model == "lenet") shape = {training.batch, 28, 28, 1};
  if (training.model == "resnet18") shape = {training.batch, 32, 32, 3};
  images = placeholder(*graph, DType::Float, shape, "images");
  labels = placeholder(*graph, DType::Int32, Shape{training.batch}, "labels");
  Output logits;
  if (training.model == "lenet") {
    logits = lenet(images, true);
    random = graph->output("dropout/random_uniform/RandomUniform:0");
  } else if (training.model == "mlp") {
    logits = mlp(images);
  } else {
    Kernels kernels;
    logits = train::resnet18(images, 10, true, [&] { return kernels.next(); });
  }
  loss = mean_sparse_softmax_cross_entropy(labels, logits);
  optimizer = std::make_unique<MomentumOptimizer>(training.learning_rate, training.momentum);
  gradients = optimizer->compute_gradients(loss);
  std::vector<Node*> updates = {optimizer->apply_gradients(gradients)};
  for (const Output& update : graph->collection("update_ops")) updates.push_back(update.node);
  train = group(*graph, updates);
  for (const vf::Variable& v : global_variables(*graph)) variables[v.name()] = v;
  for (const auto& [gradient, v] : gradients) slots[v.name()] = optimizer->get_slot(v, "momentum");
  if (digits_) {
    const train::Dataset data = train::read_dataset(VARFLOW_SOURCE_ROOT "/data/mnist10k", "train");
    digit_images_ = data.images;
    digit_labels_ = data.labels;
  }
}

Output GoldenModel::test_logits(const Output& test_images) const {
  const VariableScope same(*graph, "", {.reuse = Reuse::Yes});
  const NameScope names(*graph, "test");
  return lenet(test_images, false);
}

Feeds GoldenModel::batch(int64_t step) const {
  if (!digits_) {
    std::vector<float> pixels;
    std::vector<int32_t> classes;
    formula_batch(step, pixels, classes);
    return {{images, Tensor::of<float>(images.shape(), std::span<const float>(pixels))},
            {labels, Tensor::of<int32_t>(labels.shape(), std::span<const int32_t>(classes))}};
  }
  const int64_t count = labels.shape()[0];
  const int64_t pixels = digit_images_.num_elements() / digit_images_.shape()[0];
  Tensor x(DType::Float, images.shape());
  Tensor y(DType::Int32, labels.shape());
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = (step * count + i) % digit_images_.shape()[0];
    const uint8_t* from = digit_images_.data<uint8_t>() + row * pixels;
    std::transform(from, from + pixels, x.data<float>() + i * pixels,
                   [](uint8_t p) { return static_cast<float>(p) / 255.0F; });
    y.data<int32_t>()[i] = digit_labels_.data<uint8_t>()[row];
  }
  return {{images, x}, {labels, y}};
}

std::unique_ptr<Session> GoldenModel::start() const {
  auto session = std::make_unique<Session>(*graph, SessionOptions{.threads = 2});
  session->run(global_variables_initializer(*graph));
  return session;
}

std::unique_ptr<Session> GoldenModel::before(const Step& step) const {
  auto session = start();
  std::vector<std::pair<VariableName, Tensor>> values;
  for (const State& state : step.states) {
    const vf::Variable& v = (state.is_slot ? slots : variables).at(state.name);
    const Tensor first = session->get(v.ref());
    const std::vector<float> decoded = state.decode(first.values<float>());
    values.emplace_back(v.ref(), Tensor::of<float>(v.shape(), std::span<const float>(decoded)));
  }
  session->set(values);
  const Feeds feeds = random ? batch(step.step) : Feeds{};
  for (int64_t i = 0; random && i < step.draws; ++i) session->run(random, feeds);
  return session;
}

}  // namespace vf::golden
