// Batch normalization of NHWC activations.
#include "cpu/dnnl/batch_norm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "base/parallel.h"
#include "graph/shape_rules.h"
#include "ops/nn/nn_ops.h"

namespace vf {
namespace {

cpu::dnnl::BatchNormShape batch_norm_shape(const Node& n, const Shape& x) {
  if (n.attr<std::string>("data_format") != "NHWC")
    throw Error(Code::Unimplemented, n.type(), n.name(), "supports the data_format NHWC only");
  cpu::dnnl::BatchNormShape s;
  s.channels = x[3];
  s.images = x[0];
  s.pixels = x[1] * x[2];
  s.epsilon = n.attr<float>("epsilon");
  return s;
}

// What the op gives out as running statistics: new values by the unbiased variance, mixed into the old ones.
void running_statistics(int64_t rows, int64_t channels, float factor, const float* old_mean, const float* old_variance,
                        const float* mean, const float* variance, float* out_mean, float* out_variance) {
  const float bessel = rows > 1 ? static_cast<float>(rows) / static_cast<float>(rows - 1) : 1.0F;
  for (int64_t c = 0; c < channels; ++c) {
    const float unbiased = variance[c] * bessel;
    out_mean[c] = factor == 1.0F ? mean[c] : (1.0F - factor) * old_mean[c] + factor * mean[c];
    out_variance[c] = factor == 1.0F ? unbiased : (1.0F - factor) * old_variance[c] + factor * unbiased;
  }
}

// Mean and biased variance of each channel, summed in double: float sums over all rows, as oneDNN makes them, put
// the gradients of deep networks 1e-5 off. A channel's rows are summed in order whatever the threads.
void batch_statistics(const float* x, int64_t rows, int64_t channels, int threads, float* mean, float* variance) {
  constexpr int64_t kBlock = 16;  // channels of one cache line
  parallel_for(threads, (channels + kBlock - 1) / kBlock, 1, [=](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * kBlock;
      const int64_t width = std::min(kBlock, channels - begin);
      std::array<double, kBlock> sum{};
      std::array<double, kBlock> squares{};
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t c = 0; c < width; ++c) sum[static_cast<size_t>(c)] += x[i * channels + begin + c];
      for (double& m : sum) m /= static_cast<double>(rows);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t c = 0; c < width; ++c) {
          const double d = x[i * channels + begin + c] - sum[static_cast<size_t>(c)];
          squares[static_cast<size_t>(c)] += d * d;
        }
      }
      for (int64_t c = 0; c < width; ++c) {
        mean[begin + c] = static_cast<float>(sum[static_cast<size_t>(c)]);
        variance[begin + c] = static_cast<float>(squares[static_cast<size_t>(c)] / static_cast<double>(rows));
      }
    }
  });
}

std::unique_ptr<Kernel> forward_fast(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = batch_norm_shape(m.node(), m.input_shape(0));
  const bool training = m.attr<bool>("is_training");
  std::shared_ptr<const cpu::dnnl::BatchNormForward> p =
      cpu::dnnl::BatchNormForward::make(s, m.output_dtype(), false, m.threads());
  if (!p) return nullptr;
  m.set_scratch(p->scratch_bytes());
  const int threads = m.threads();
  const float factor = m.attr<float>("exponential_avg_factor");
  return kernel([=](KernelRun& r) {
    const auto channels = static_cast<size_t>(s.channels);
    const float* scale = r.input<float>(1);
    const float* shift = r.input<float>(2);
    if (!training) {
      p->infer(r.input<float>(0), scale, shift, r.input<float>(3), r.input<float>(4), r.output<float>(0), r.scratch());
      for (const auto& [out, in] : {std::pair{1, 3}, {2, 4}, {3, 3}, {4, 4}})
        std::copy_n(r.input<float>(in), channels, r.output<float>(out));
      return;
    }
    batch_statistics(r.input<float>(0), s.rows(), s.channels, threads, r.output<float>(3), r.output<float>(4));
    p->infer(r.input<float>(0), scale, shift, r.output<float>(3), r.output<float>(4), r.output<float>(0), r.scratch());
    running_statistics(s.rows(), s.channels, factor, r.input<float>(3), r.input<float>(4), r.output<float>(3),
                       r.output<float>(4), r.output<float>(1), r.output<float>(2));
  });
}

std::unique_ptr<Kernel> forward_reference(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = batch_norm_shape(m.node(), m.input_shape(0));
  const bool training = m.attr<bool>("is_training");
  const float factor = m.attr<float>("exponential_avg_factor");
  return kernel([=](KernelRun& r) {
    const float* x = r.input<float>(0);
    for (int64_t c = 0; c < s.channels; ++c) {
      double mean = r.input<float>(3)[training ? 0 : c];
      double variance = r.input<float>(4)[training ? 0 : c];
      if (training) {
        mean = variance = 0;
        for (int64_t i = 0; i < s.rows(); ++i) mean += x[i * s.channels + c];
        mean /= static_cast<double>(std::max<int64_t>(s.rows(), 1));
        for (int64_t i = 0; i < s.rows(); ++i)
          variance += (x[i * s.channels + c] - mean) * (x[i * s.channels + c] - mean);
        variance /= static_cast<double>(std::max<int64_t>(s.rows(), 1));
      }
      const double scale = r.input<float>(1)[c] / std::sqrt(variance + double(s.epsilon));
      for (int64_t i = 0; i < s.rows(); ++i)
        r.output<float>(0)[i * s.channels + c] =
            static_cast<float>((x[i * s.channels + c] - mean) * scale + double(r.input<float>(2)[c]));
      r.output<float>(3)[c] = static_cast<float>(mean);
      r.output<float>(4)[c] = static_cast<float>(variance);
    }
    if (training)
      running_statistics(s.rows(), s.channels, factor, r.input<float>(3), r.input<float>(4), r.output<float>(3),
                         r.output<float>(4), r.output<float>(1), r.output<float>(2));
    else
      for (int i : {1, 2}) std::copy_n(r.input<float>(i + 2), s.channels, r.output<float>(i));
  });
}

std::unique_ptr<Kernel> backward_fast(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = batch_norm_shape(m.node(), m.input_shape(1));
  std::shared_ptr<const cpu::dnnl::BatchNormBackward> p =
      cpu::dnnl::BatchNormBackward::make(s, m.output_dtype(), m.attr<bool>("is_training"), m.threads());
  if (!p) return nullptr;
  m.set_scratch(p->scratch_bytes());
  return kernel([=](KernelRun& r) {
    p->run(r.input<float>(1), r.input<float>(2), r.input<float>(3), r.input<float>(4), r.input<float>(0),
           r.output<float>(0), r.output<float>(1), r.output<float>(2), r.scratch());
  });
}

std::unique_ptr<Kernel> backward_reference(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = batch_norm_shape(m.node(), m.input_shape(1));
  const bool training = m.attr<bool>("is_training");
  return kernel([=](KernelRun& r) {
    const float* dy = r.input<float>(0);
    const float* x = r.input<float>(1);
    for (int64_t c = 0; c < s.channels; ++c) {
      const double mean = r.input<float>(3)[c];
      const double inverse = 1 / std::sqrt(double(r.input<float>(4)[c]) + double(s.epsilon));
      double sum = 0;
      double dot = 0;
      for (int64_t i = 0; i < s.rows(); ++i) {
        sum += dy[i * s.channels + c];
        dot += dy[i * s.channels + c] * (x[i * s.channels + c] - mean) * inverse;
      }
      r.output<float>(1)[c] = static_cast<float>(dot);
      r.output<float>(2)[c] = static_cast<float>(sum);
      const double n = static_cast<double>(std::max<int64_t>(s.rows(), 1));
      for (int64_t i = 0; i < s.rows(); ++i) {
        double d = dy[i * s.channels + c];
        if (training) d -= sum / n + (x[i * s.channels + c] - mean) * inverse * dot / n;
        r.output<float>(0)[i * s.channels + c] = static_cast<float>(d * inverse * r.input<float>(2)[c]);
      }
    }
  });
}

}  // namespace

void register_batch_norm_ops(OpRegistry& r) {
  r.op("FusedBatchNormV3")
      .in("x: T")
      .in("scale: U")
      .in("offset: U")
      .in("mean: U")
      .in("variance: U")
      .out("y: T")
      .out("batch_mean: U")
      .out("batch_variance: U")
      .out("reserve_space_1: U")
      .out("reserve_space_2: U")
      .out("reserve_space_3: U")
      .attr("T: {half, bfloat16, float}")
      .attr("U: {bfloat16, float}")
      .attr("epsilon: float = 9.99999975e-05")
      .attr("exponential_avg_factor: float = 1")
      .attr("data_format: {'NHWC', 'NCHW', 'NDHWC', 'NCDHW'} = 'NHWC'")
      .attr("is_training: bool = true")
      .doc(
          "(x - mean) / sqrt(variance + epsilon) * scale + offset for each channel; in training of the batch's own "
          "mean "
          "and variance, which it gives out.")
      .shape([](ShapeContext& c) {
        c.expect_rank(0, 4);
        Shape channels{c.input(0).has_rank() ? c.input(0)[3] : Shape::kUnknown};
        for (int i : {1, 2}) {
          c.expect_rank(i, 1);
          if (!channels.compatible(c.input(i))) c.fail("scale and offset must have one value a channel");
          channels = channels.merged(c.input(i));
        }
        c.set_output(0, c.input(0));
        for (int o = 1; o < 5; ++o) c.set_output(o, channels);
        c.set_output(5, Shape{0});
      })
      .fast(forward_fast)
      .cpu(forward_reference)
      .grad([](GradientContext& g) {
        const bool training = g.node().attr<bool>("is_training");
        const Output mean = training ? g.output(3) : g.input(3);
        const Output variance = training ? g.output(4) : g.input(4);
        Node* n = g.make("FusedBatchNormGradV3", {g.gradient(0), g.input(0), g.input(1), mean, variance, g.output(5)},
                         {{"epsilon", g.node().attr_value("epsilon")},
                          {"data_format", g.node().attr_value("data_format")},
                          {"is_training", training}})
                      .node;
        for (int i = 0; i < 3; ++i) g.set(i, Output(n, i));
      })
      .example({.inputs = {{2, 3, 2, 4}, {4}, {4}, Shape{0}, Shape{0}}});

  r.op("FusedBatchNormGradV3")
      .in("y_backprop: T")
      .in("x: T")
      .in("scale: float")
      .in("reserve_space_1: U")
      .in("reserve_space_2: U")
      .in("reserve_space_3: U")
      .out("x_backprop: T")
      .out("scale_backprop: U")
      .out("offset_backprop: U")
      .out("reserve_space_4: U")
      .out("reserve_space_5: U")
      .attr("T: {half, bfloat16, float}")
      .attr("U: {float}")
      .attr("epsilon: float = 9.99999975e-05")
      .attr("data_format: {'NHWC', 'NCHW', 'NDHWC', 'NCDHW'} = 'NHWC'")
      .attr("is_training: bool = true")
      .doc("The gradients of FusedBatchNormV3 for x, scale and offset.")
      .shape([](ShapeContext& c) {
        c.set_output(0, c.input(1));
        c.set_output(1, c.input(2));
        c.set_output(2, c.input(2));
        c.set_output(3, Shape{0});
        c.set_output(4, Shape{0});
      })
      .fast(backward_fast)
      .cpu(backward_reference)
      .no_grad()
      .example({.inputs = {{2, 3, 2, 4}, {2, 3, 2, 4}, {4}, {4}, {4}, Shape{0}}, .low = 0.5, .high = 1.5});
}

}  // namespace vf
