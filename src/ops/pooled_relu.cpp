#include "ops/pooled_relu.h"

namespace vf {
namespace {

class ReluGradientKernel final : public Kernel {
 public:
  explicit ReluGradientKernel(std::unique_ptr<Kernel> other) : other_(std::move(other)) {}
  void run(KernelRun& run) const override { other_->run(run); }
  const ElementwiseLoop* elementwise() const override { return other_->elementwise(); }
  std::unique_ptr<Kernel> absorb(int input, const Producer& producer) const override {
    const auto* pooling = dynamic_cast<const MaxPoolGradientKernel*>(&producer.kernel());
    if (input != 0 || !pooling || !producer.only_use() || !producer.same_input(1, 0)) return nullptr;
    return std::make_unique<PooledReluGradientKernel>(*pooling);
  }

 private:
  std::unique_ptr<Kernel> other_;
};

}  // namespace

std::unique_ptr<Kernel> relu_gradient_kernel(std::unique_ptr<Kernel> other) {
  return other ? std::make_unique<ReluGradientKernel>(std::move(other)) : nullptr;
}

}  // namespace vf
