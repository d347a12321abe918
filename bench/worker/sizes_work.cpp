// A small convolutional network, forward, on images of a new size each time: what a size costs that was never seen.
#include <chrono>
#include <set>
#include <tuple>

#include "varflow/error.h"
#include "varflow/layers.h"
#include "worker/noise.h"
#include "worker/session_work.h"

namespace vf::bench {
namespace {

// The first size is for steps that are not counted, the last ones are for the answer.
constexpr int64_t kSizes = 1204;
constexpr int64_t kAnswerSizes = 3;
constexpr int64_t kMostBatch = 16;
constexpr int64_t kMostSide = 64;

// Distinct sizes [batch, height, width] of 1 to 16 images of 8 to 64 pixels, in no order.
Tensor distinct_sizes() {
  Tensor sizes(DType::Int32, {kSizes, 3});
  const Tensor random = noise({8 * kSizes, 3}, 0, 1, 3);
  std::set<std::tuple<int, int, int>> seen;
  int32_t* to = sizes.data<int32_t>();
  for (const float* from = random.data<float>(); static_cast<int64_t>(seen.size()) < kSizes; from += 3) {
    const int batch = 1 + static_cast<int>(from[0] * kMostBatch);
    const int height = 8 + static_cast<int>(from[1] * (kMostSide - 7));
    const int width = 8 + static_cast<int>(from[2] * (kMostSide - 7));
    if (!seen.emplace(batch, height, width).second) continue;
    for (const int n : {batch, height, width}) *to++ = n;
  }
  return sizes;
}

class Sizes : public SessionWork {
 public:
  explicit Sizes(const WorkOptions& o) : SessionWork(kSizes) {
    graph_.set_random_seed(1);
    const Output images = placeholder(graph_, DType::Float, {-1, -1, -1, 3}, "images");
    Output x = convolution_layer(images, 16, "conv1", {.activation = Activation::Relu});
    x = convolution_layer(max_pool(x, 2, 2), 32, "conv2", {.activation = Activation::Relu});
    logits_ = dense_layer(make("Mean", {x, Tensor::vector<int32_t>({1, 2})}), 10, "dense");
    open({.threads = o.threads}, global_variables(graph_));
    callable_ = std::make_unique<Callable>(session_->make_callable({logits_}, {images}));
    pixels_ = noise({kMostBatch * kMostSide * kMostSide * 3}, 0, 1, 1);
    sizes_ = distinct_sizes();
    feeds_ = {{"feed/pixels", pixels_}, {"feed/sizes", sizes_}};
  }

  // The next `steps` sizes, each once; the warm steps take the first size.
  double measure(int64_t warm, int64_t steps) override {
    if (next_ + steps > kSizes - kAnswerSizes) throw Error(Code::OutOfRange, "no sizes are left");
    for (int64_t i = 0; i < warm + 2; ++i) forward(0);
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) forward(next_++);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  Arrays answer() override {
    Arrays all;
    for (int64_t i = 0; i < kAnswerSizes; ++i) all["logits" + std::to_string(i)] = forward(kSizes - kAnswerSizes + i);
    return all;
  }

 private:
  void step() override { forward(0); }

  // The first pixels of the noise, as images of size number `index`.
  Tensor forward(int64_t index) {
    const int32_t* size = sizes_.data<int32_t>() + 3 * index;
    return (*callable_)({Tensor(DType::Float, {size[0], size[1], size[2], 3}, pixels_.buffer())})[0];
  }

  Output logits_;
  std::unique_ptr<Callable> callable_;
  Tensor pixels_;
  Tensor sizes_;
  int64_t next_ = 1;
};

}  // namespace

std::unique_ptr<Work> make_sizes(const WorkOptions& o) { return std::make_unique<Sizes>(o); }

}  // namespace vf::bench
