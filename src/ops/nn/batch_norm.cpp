// Batch normalization of NHWC activations.
#include "cpu/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "graph/shape_rules.h"
#include "ops/nn/nn_ops.h"

namespace vf {
namespace {

cpu::BatchNormShape batch_norm_shape(const KernelMake& m, const Shape& x) {
  if (m.attr<std::string>("data_format") != "NHWC")
    throw Error(Code::Unimplemented, m.node().type(), m.node().name(), "supports the data_format NHWC only");
  return {.rows = x[0] * x[1] * x[2], .channels = x[3], .epsilon = m.attr<float>("epsilon")};
}

void check_channels(const KernelMake& m, int input, const std::string& name, int64_t channels) {
  const int64_t n = m.input_shape(input).num_elements();
  if (n != channels)
    m.fail(name + " must have the same number of elements as the channels of x, got " + std::to_string(n) + " and " +
           std::to_string(channels));
}

cpu::BatchNormShape forward_shape(const KernelMake& m) {
  const auto s = batch_norm_shape(m, m.input_shape(0));
  const bool training = m.attr<bool>("is_training");
  if (training && m.attr<float>("exponential_avg_factor") == 1.0F) return s;  // nobody reads the old statistics
  const std::string when = training ? "When exponential_avg_factor != 1, " : "When is_training=false, ";
  check_channels(m, 3, when + "mean", s.channels);
  check_channels(m, 4, when + "variance", s.channels);
  return s;
}

cpu::BatchNormShape backward_shape(const KernelMake& m) {
  const Shape& x = m.input_shape(1);
  const Shape& dy = m.input_shape(0);
  if (x != dy)
    m.fail("x and y_backprop must have same shape, but x has shape " + x.str() + " and y_backprop has shape " +
           dy.str());
  const auto s = batch_norm_shape(m, x);
  check_channels(m, 2, "scale", s.channels);
  check_channels(m, 3, "reserve_space_1", s.channels);
  check_channels(m, 4, "reserve_space_2", s.channels);
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

// What TensorFlow gives for no rows at all, in training or not.
void statistics_of_nothing(KernelRun& r, int64_t channels) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [output, value] : {std::pair{1, kNan}, {2, kNan}, {3, 0.0F}, {4, 0.0F}})
    std::fill_n(r.output<float>(output), channels, value);
}

std::unique_ptr<Kernel> forward_fast(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = forward_shape(m);
  const bool training = m.attr<bool>("is_training");
  const float factor = m.attr<float>("exponential_avg_factor");
  const cpu::BatchNormOptions options{.threads = m.threads()};
  m.set_scratch(cpu::batch_norm_scratch_bytes(s));
  m.allow_in_place(0);
  return kernel([=](KernelRun& r) {
    if (s.rows == 0) return statistics_of_nothing(r, s.channels);
    const float* x = r.input<float>(0);
    const float* scale = r.input<float>(1);
    const float* offset = r.input<float>(2);
    if (!training) {
      cpu::batch_norm_infer(s, x, scale, offset, r.input<float>(3), r.input<float>(4), r.output<float>(0), r.scratch(),
                            options);
      for (const auto& [out, in] : {std::pair{1, 3}, {2, 4}, {3, 3}, {4, 4}})
        std::copy_n(r.input<float>(in), s.channels, r.output<float>(out));
      return;
    }
    cpu::batch_norm_train(s, x, scale, offset, r.output<float>(0), r.output<float>(3), r.output<float>(4), r.scratch(),
                          options);
    running_statistics(s.rows, s.channels, factor, r.input<float>(3), r.input<float>(4), r.output<float>(3),
                       r.output<float>(4), r.output<float>(1), r.output<float>(2));
  });
}

std::unique_ptr<Kernel> forward_reference(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = forward_shape(m);
  const bool training = m.attr<bool>("is_training");
  const float factor = m.attr<float>("exponential_avg_factor");
  return kernel([=](KernelRun& r) {
    if (s.rows == 0) return statistics_of_nothing(r, s.channels);
    const float* x = r.input<float>(0);
    for (int64_t c = 0; c < s.channels; ++c) {
      double mean = training ? 0 : r.input<float>(3)[c];
      double variance = training ? 0 : r.input<float>(4)[c];
      if (training) {
        for (int64_t i = 0; i < s.rows; ++i) mean += x[i * s.channels + c];
        mean /= static_cast<double>(std::max<int64_t>(s.rows, 1));
        for (int64_t i = 0; i < s.rows; ++i)
          variance += (x[i * s.channels + c] - mean) * (x[i * s.channels + c] - mean);
        variance /= static_cast<double>(std::max<int64_t>(s.rows, 1));
      }
      const double scale = r.input<float>(1)[c] / std::sqrt(variance + double(s.epsilon));
      for (int64_t i = 0; i < s.rows; ++i)
        r.output<float>(0)[i * s.channels + c] =
            static_cast<float>((x[i * s.channels + c] - mean) * scale + double(r.input<float>(2)[c]));
      r.output<float>(3)[c] = static_cast<float>(mean);
      r.output<float>(4)[c] = static_cast<float>(variance);
    }
    if (training)
      running_statistics(s.rows, s.channels, factor, r.input<float>(3), r.input<float>(4), r.output<float>(3),
                         r.output<float>(4), r.output<float>(1), r.output<float>(2));
    else
      for (int i : {1, 2}) std::copy_n(r.input<float>(i + 2), s.channels, r.output<float>(i));
  });
}

std::unique_ptr<Kernel> backward_fast(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = backward_shape(m);
  const bool training = m.attr<bool>("is_training");
  const int threads = m.threads();
  m.set_scratch(cpu::batch_norm_scratch_bytes(s));
  m.allow_in_place(0);
  return kernel([=](KernelRun& r) {
    cpu::batch_norm_gradient(s, training,
                             {.dy = r.input<float>(0),
                              .x = r.input<float>(1),
                              .scale = r.input<float>(2),
                              .mean = r.input<float>(3),
                              .variance = r.input<float>(4),
                              .dx = r.output<float>(0),
                              .d_scale = r.output<float>(1),
                              .d_offset = r.output<float>(2)},
                             r.scratch(), threads);
  });
}

std::unique_ptr<Kernel> backward_reference(KernelMake& m) {
  if (m.output_dtype() != DType::Float) return nullptr;
  const auto s = backward_shape(m);
  const bool training = m.attr<bool>("is_training");
  return kernel([=](KernelRun& r) {
    const float* dy = r.input<float>(0);
    const float* x = r.input<float>(1);
    for (int64_t c = 0; c < s.channels; ++c) {
      const double mean = r.input<float>(3)[c];
      const double inverse = 1 / std::sqrt(double(r.input<float>(4)[c]) + double(s.epsilon));
      double sum = 0;
      double dot = 0;
      for (int64_t i = 0; i < s.rows; ++i) {
        sum += dy[i * s.channels + c];
        dot += dy[i * s.channels + c] * (x[i * s.channels + c] - mean) * inverse;
      }
      r.output<float>(1)[c] = static_cast<float>(dot);
      r.output<float>(2)[c] = static_cast<float>(sum);
      const double n = static_cast<double>(std::max<int64_t>(s.rows, 1));
      for (int64_t i = 0; i < s.rows; ++i) {
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
        c.expect_rank(1, 4);
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
