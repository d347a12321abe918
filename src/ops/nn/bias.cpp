// A bias for each channel.
#include "cpu/broadcast.h"
#include "cpu/pooled_gradient.h"
#include "cpu/reduce.h"
#include "graph/shape_rules.h"
#include "ops/nn/nn_ops.h"
#include "ops/pooled_relu.h"

namespace vf {
namespace {

constexpr const char* kTypes =
    "T: {float, double, int32, uint8, int16, int8, complex64, int64, "
    "qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, complex128, half, uint32, uint64}";

void expect_nhwc(const Node& n) {
  if (n.attr<std::string>("data_format") != "NHWC")
    throw Error(Code::Unimplemented, n.type(), n.name(), "supports the data_format NHWC only");
}

// Inputs: none, then those of PooledReluGradientKernel.
class PooledBiasGradientKernel final : public Kernel {
 public:
  explicit PooledBiasGradientKernel(const PooledReluGradientKernel& relu)
      : shape_(relu.shape()), threads_(relu.threads()) {}
  void run(KernelRun& run) const override {
    cpu::pooled_bias_gradient(shape_, run.input<float>(1 + PooledReluGradientKernel::kPooled),
                              run.input<float>(1 + PooledReluGradientKernel::kGradients), run.output<float>(),
                              run.scratch(), threads_);
  }
  size_t absorbed_scratch_bytes() const override { return cpu::pooled_bias_gradient_scratch(shape_.channels); }

 private:
  cpu::PoolingShape shape_;
  int threads_;
};

class BiasGradientKernel final : public Kernel {
 public:
  BiasGradientKernel(cpu::ReducePlan plan, int threads) : plan_(std::move(plan)), threads_(threads) {}
  void run(KernelRun& run) const override { plan_.run(run.input_raw(0), run.output_raw(), run.scratch(), threads_); }
  std::unique_ptr<Kernel> absorb(int, const Producer& producer) const override {
    const auto* relu = dynamic_cast<const PooledReluGradientKernel*>(&producer.kernel());
    if (!relu || relu->shape().channels % 16 != 0) return nullptr;
    return std::make_unique<PooledBiasGradientKernel>(*relu);
  }

 private:
  cpu::ReducePlan plan_;
  int threads_;
};

}  // namespace

void register_bias_ops(OpRegistry& r) {
  r.op("BiasAdd")
      .in("value: T")
      .in("bias: T")
      .out("output: T")
      .attr(kTypes)
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .doc("value + bias along the last dimension.")
      .shape([](ShapeContext& c) {
        expect_nhwc(c.node());
        const Shape& v = c.input(0);
        c.expect_rank(1, 1);
        if (v.has_rank() && v.rank() < 2) c.fail("Input tensor must be at least 2D: " + v.str());
        if (v.has_rank() && c.input(1).has_rank() && v.dim(-1) >= 0 && c.input(1)[0] >= 0 && v.dim(-1) != c.input(1)[0])
          c.fail("Must provide as many biases as the last dimension of the input tensor: " + c.input(1).str() +
                 " vs. " + v.str());
        c.set_output(0, v);
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const auto loops = cpu::binary_loops(cpu::BinaryOp::Add, m.output_dtype());
        if (!loops) return nullptr;
        const cpu::BroadcastPlan plan(m.input_shape(0), m.input_shape(1));
        const size_t size = dtype_size(m.output_dtype());
        const int threads = m.threads();
        m.allow_in_place(0);
        return kernel([=](KernelRun& run) {
          plan.run(loops, size, size, run.input_raw(0), run.input_raw(1), run.output_raw(), threads);
        });
      })
      .grad([](GradientContext& g) {
        g.set(0, g.gradient());
        g.set(1, g.make("BiasAddGrad", {g.gradient()}));
      })
      .example({.inputs = {{2, 3, 4}, {4}}});

  r.op("BiasAddGrad")
      .in("out_backprop: T")
      .out("output: T")
      .attr(kTypes)
      .attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .doc("The gradient of BiasAdd for its bias: the sum over all dimensions but the last.")
      .shape([](ShapeContext& c) {
        expect_nhwc(c.node());
        const Shape& g = c.input(0);
        c.set_output(0, g.has_rank() && g.rank() > 0 ? Shape{g.dim(-1)} : Shape::of_rank(1));
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        std::vector<int64_t> axes;
        for (int i = 0; i + 1 < m.input_shape(0).rank(); ++i) axes.push_back(i);
        cpu::ReducePlan plan(cpu::ReduceOp::Sum, m.output_dtype(), m.input_shape(0), axes, false);
        m.set_scratch(plan.scratch_bytes());
        return std::make_unique<BiasGradientKernel>(std::move(plan), m.threads());
      })
      .grad([](GradientContext& g) {
        const Output shape = g.make("Shape", {g.input(0)});
        g.set(0, g.make("BroadcastTo", {g.gradient(), shape}));
      })
      .example({.inputs = {{2, 3, 4}}});
}

}  // namespace vf
