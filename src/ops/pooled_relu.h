#pragma once
// Kernels that know each other: the gradient of a max-pooling, of the ReLU before it, and what takes it from there.
#include <memory>

#include "cpu/max_pool_gradient.h"
#include "varflow/kernel.h"

namespace vf {

// MaxPoolGrad of floats. Inputs: orig_input, orig_output, grad.
class MaxPoolGradientKernel final : public Kernel {
 public:
  MaxPoolGradientKernel(const cpu::PoolingShape& shape, int threads) : shape_(shape), threads_(threads) {}
  void run(KernelRun& run) const override {
    cpu::max_pool_gradient(shape_, run.input<float>(0), run.input<float>(2), run.output<float>(), threads_);
  }
  const cpu::PoolingShape& shape() const { return shape_; }
  int threads() const { return threads_; }

 private:
  cpu::PoolingShape shape_;
  int threads_;
};

// ReluGrad of what MaxPoolGrad makes, where both look at the ReLU's outputs. Inputs: none, features, then
// MaxPoolGrad's.
class PooledReluGradientKernel final : public Kernel {
 public:
  explicit PooledReluGradientKernel(const MaxPoolGradientKernel& pooling)
      : shape_(pooling.shape()), threads_(pooling.threads()) {}
  void run(KernelRun& run) const override {
    cpu::max_pool_gradient(shape_, run.input<float>(kActivations), run.input<float>(kGradients), run.output<float>(),
                           threads_, true);
  }
  const cpu::PoolingShape& shape() const { return shape_; }
  int threads() const { return threads_; }

  // Its inputs.
  static constexpr int kActivations = 2, kPooled = 3, kGradients = 4;

 private:
  cpu::PoolingShape shape_;
  int threads_;
};

// ReluGrad: the kernel `other`, which takes the place of MaxPoolGrad before it where it can. Inputs: gradients,
// features.
std::unique_ptr<Kernel> relu_gradient_kernel(std::unique_ptr<Kernel> other);

}  // namespace vf
