// Training steps of whole models with momentum: forward, backward, update, on one batch, with the loss fetched.
#include "train/models.h"
#include "varflow/layers.h"
#include "varflow/train.h"
#include "worker/noise.h"
#include "worker/session_work.h"

namespace vf::bench {
namespace {

constexpr float kLearningRate = 0.01F;
constexpr float kMomentum = 0.9F;
constexpr int64_t kClasses = 10;
constexpr int64_t kLongest = 100;

class TrainingWork : public SessionWork {
 public:
  using Logits = Output (*)(const Output& images);

  TrainingWork(const Shape& images, Logits logits, const SessionOptions& options) : SessionWork(kLongest) {
    graph_.set_random_seed(1);
    const Output x = placeholder(graph_, DType::Float, images, "images");
    const Output labels = placeholder(graph_, DType::Int32, {images[0]}, "labels");
    loss_ = mean_sparse_softmax_cross_entropy(labels, logits(x));
    const std::vector<Variable> shared = global_variables(graph_);
    std::vector<Node*> updates = {optimizer_.minimize(loss_)};
    for (const Output& update : graph_.collection("update_ops")) updates.push_back(update.node);
    open(options, shared);
    step_ = std::make_unique<Callable>(session_->make_callable({loss_, group(graph_, updates)}, {x, labels}));
    Tensor classes(DType::Int32, {images[0]});
    for (int64_t i = 0; i < images[0]; ++i) classes.data<int32_t>()[i] = static_cast<int32_t>(i * 7 % kClasses);
    batch_ = {noise(images, 0, 1, 1), classes};
    feeds_ = {{"feed/images", batch_[0]}, {"feed/labels", batch_[1]}};
  }

  void step() override { last_loss_ = (*step_)(batch_)[0].item<float>(); }

  Arrays answer() override {
    restore();
    Tensor losses(DType::Float, {kCheckedSteps});
    for (int i = 0; i < kCheckedSteps; ++i) {
      step();
      losses.data<float>()[i] = last_loss_;
    }
    Arrays answer = shared_values();
    answer["loss"] = losses;
    return answer;
  }

 private:
  MomentumOptimizer optimizer_{kLearningRate, kMomentum};
  Output loss_;
  std::unique_ptr<Callable> step_;
  std::vector<Tensor> batch_;
  float last_loss_ = 0;
};

Output mlp_logits(const Output& images) {
  Output x = dense_layer(images, 512, "dense1", {.activation = Activation::Relu});
  x = dense_layer(x, 512, "dense2", {.activation = Activation::Relu});
  return dense_layer(x, kClasses, "dense3");
}

Output lenet_logits(const Output& images) {
  const ConvolutionOptions convolution{.kernel_size = 5, .activation = Activation::Relu};
  Output x = max_pool(convolution_layer(images, 32, "conv1", convolution), 2, 2);
  x = max_pool(convolution_layer(x, 64, "conv2", convolution), 2, 2);
  x = dense_layer(flatten(x), 512, "dense1", {.activation = Activation::Relu});
  return dense_layer(x, kClasses, "dense2");
}

Output resnet18_logits(const Output& images) { return train::resnet18(images, kClasses, true); }

}  // namespace

std::unique_ptr<Work> make_mlp(const WorkOptions& o) {
  return std::make_unique<TrainingWork>(Shape{128 / o.shrink, 784}, mlp_logits, SessionOptions{.threads = o.threads});
}

std::unique_ptr<Work> make_lenet(const WorkOptions& o, bool deterministic) {
  return std::make_unique<TrainingWork>(Shape{128 / o.shrink, 28, 28, 1}, lenet_logits,
                                        SessionOptions{.threads = o.threads, .deterministic = deterministic});
}

std::unique_ptr<Work> make_resnet18(const WorkOptions& o) {
  return std::make_unique<TrainingWork>(Shape{16 / o.shrink, 32, 32, 3}, resnet18_logits,
                                        SessionOptions{.threads = o.threads});
}

}  // namespace vf::bench
