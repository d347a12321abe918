// Changes of variables without a network: a kernel scaled or adjusted by ops of the graph, an optimizer's update.
#include <cmath>

#include "varflow/operators.h"
#include "varflow/train.h"
#include "worker/noise.h"
#include "worker/session_work.h"

namespace vf::bench {
namespace {

const Shape kKernelShape{3, 3, 3, 64};

class VariableWork : public SessionWork {
 public:
  Arrays answer() override {
    restore();
    for (int i = 0; i < kCheckedSteps; ++i) step();
    return shared_values();
  }

 protected:
  using SessionWork::SessionWork;
};

// kernel *= 0.9, by Session::run or by a Callable.
class ScaleKernel : public VariableWork {
 public:
  // 0.9^500 is still a normal number.
  ScaleKernel(const WorkOptions& o, bool prepared) : VariableWork(500), prepared_(prepared) {
    const Variable kernel = get_variable(graph_, "kernel", kKernelShape,
                                         {.initializer = constant_initializer(noise(kKernelShape, 1, 2, 1))});
    scale_ = {Fetch(assign(kernel, kernel * 0.9F).node)};
    open({.threads = o.threads}, {kernel});
    callable_ = std::make_unique<Callable>(session_->make_callable(scale_));
  }
  void step() override {
    if (prepared_)
      (*callable_)();
    else
      session_->run(scale_);
  }

 private:
  const bool prepared_;
  Fetches scale_;
  std::unique_ptr<Callable> callable_;
};

// kernel -= random_normal(), by Session::run. The first draws of a session are those of graph seed 1 and op seed 7.
class AdjustKernel : public VariableWork {
 public:
  explicit AdjustKernel(const WorkOptions& o) : VariableWork(500) {
    graph_.set_random_seed(1);
    const Variable kernel = get_variable(graph_, "kernel", kKernelShape, {.initializer = zeros_initializer()});
    adjust_ = {Fetch(assign_sub(kernel, random_normal(graph_, kernel.shape(), {.seed = 7})).node)};
    open({.threads = o.threads}, {kernel});
  }
  void step() override { session_->run(adjust_); }
  Arrays answer() override {
    Arrays all = VariableWork::answer();
    double squares = 0;
    for (float w : all.at("kernel").values<float>()) squares += static_cast<double>(w) * w;
    all["deviation"] = Tensor(static_cast<float>(std::sqrt(squares / 1728)));
    return all;
  }

 private:
  Fetches adjust_;
};

// One step of Adam on one variable, with a gradient that is there already, in another variable.
class Adam : public VariableWork {
 public:
  explicit Adam(const WorkOptions& o) : VariableWork(100) {
    const Shape shape{25'000'000 / o.shrink};
    const auto from = [&](float low, float high, uint64_t seed) {
      return [=](Graph& graph, const Shape& s, DType) { return constant(graph, noise(s, low, high, seed)); };
    };
    const Variable weights = get_variable(graph_, "weights", shape, {.initializer = from(-1, 1, 1)});
    const Variable gradient =
        get_variable(graph_, "gradient", shape, {.initializer = from(0.1F, 1, 2), .trainable = false});
    update_ = optimizer_.apply_gradients({{gradient.value(), weights}});
    open({.threads = o.threads}, {weights, gradient});
    callable_ = std::make_unique<Callable>(session_->make_callable({Fetch(update_)}));
  }
  void step() override { (*callable_)(); }
  Arrays answer() override {
    Arrays all = VariableWork::answer();
    all.erase("gradient");
    return all;
  }

 private:
  AdamOptimizer optimizer_{0.001F};
  Node* update_ = nullptr;
  std::unique_ptr<Callable> callable_;
};

}  // namespace

std::unique_ptr<Work> make_scale_kernel(const WorkOptions& o, bool prepared) {
  return std::make_unique<ScaleKernel>(o, prepared);
}
std::unique_ptr<Work> make_adjust_kernel(const WorkOptions& o) { return std::make_unique<AdjustKernel>(o); }
std::unique_ptr<Work> make_adam(const WorkOptions& o) { return std::make_unique<Adam>(o); }

}  // namespace vf::bench
