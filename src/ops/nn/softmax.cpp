// Softmax over the last dimension, and cross entropy with logits.
#include "cpu/softmax.h"

#include <cstring>

#include "graph/shape_rules.h"
#include "ops/nn/nn_ops.h"

namespace vf {
namespace {

constexpr const char* kFloats = "T: {half, bfloat16, float, double}";

struct Rows {
  int64_t rows;
  int64_t columns;
};

Rows rows_of(const Shape& s) {
  const int64_t columns = s.dim(-1);
  return {columns == 0 ? 0 : s.num_elements() / columns, columns};
}

// softmax or log_softmax of each row.
KernelFunction row_kernel(decltype(&cpu::softmax) loop) {
  return [loop](KernelMake& m) {
    const Rows s = rows_of(m.input_shape(0));
    const DType dtype = m.output_dtype();
    const int threads = m.threads();
    m.allow_in_place(0);
    return kernel([=](KernelRun& run) {
      loop(dtype, run.input_raw(0), run.output_raw(), s.rows, s.columns, threads, cpu::active_isa());
    });
  };
}

void at_least_vector(ShapeContext& c) {
  if (c.input(0).has_rank() && c.input(0).rank() < 1) c.fail("Shape must be at least rank 1 but is rank 0");
  c.set_output(0, c.input(0));
}

// d(loss)/d(logits) is the second output times the incoming gradient, row by row; second derivatives flow too.
void cross_entropy_gradient(GradientContext& g, bool labels_too) {
  const Output loss_gradient = g.make("ExpandDims", {g.gradient(0), -1});
  Output logits = g.make("Mul", {loss_gradient, g.output(1)});
  if (g.has_gradient(1)) {  // of the gradient: (gg - sum(gg * p)) * p
    const Output p = g.make("Softmax", {g.input(0)});
    const Output gg = g.gradient(1);
    const Output sum = g.make("Sum", {g.make("Mul", {gg, p}), Tensor(-1)}, {{"keep_dims", true}});
    logits = g.make("AddV2", {logits, g.make("Mul", {g.make("Sub", {gg, sum}), p})});
  }
  g.set(0, logits);
  if (labels_too) {
    const Output log_p = g.make("LogSoftmax", {g.input(0)});
    g.set(1, g.make("Mul", {loss_gradient, g.make("Neg", {log_p})}));
  }
}

}  // namespace

void register_softmax_ops(OpRegistry& r) {
  r.op("Softmax")
      .in("logits: T")
      .out("softmax: T")
      .attr(kFloats)
      .doc("exp(logits) / sum(exp(logits)) over the last dimension.")
      .shape(at_least_vector)
      .cpu(row_kernel(cpu::softmax))
      .grad([](GradientContext& g) {
        const Output p = g.output();
        const Output sum = g.make("Sum", {g.make("Mul", {g.gradient(), p}), Tensor(-1)}, {{"keep_dims", true}});
        g.set(0, g.make("Mul", {g.make("Sub", {g.gradient(), sum}), p}));
      })
      .example({.inputs = {{3, 5}}});

  r.op("LogSoftmax")
      .in("logits: T")
      .out("logsoftmax: T")
      .attr(kFloats)
      .doc("logits - log(sum(exp(logits))) over the last dimension.")
      .shape(at_least_vector)
      .cpu(row_kernel(cpu::log_softmax))
      .grad([](GradientContext& g) {
        const Output sum = g.make("Sum", {g.gradient(), Tensor(-1)}, {{"keep_dims", true}});
        g.set(0, g.make("Sub", {g.gradient(), g.make("Mul", {sum, g.make("Exp", {g.output()})})}));
      })
      .example({.inputs = {{3, 5}}});

  r.op("SparseSoftmaxCrossEntropyWithLogits")
      .in("features: T")
      .in("labels: Tlabels")
      .out("loss: T")
      .out("backprop: T")
      .attr(kFloats)
      .attr("Tlabels: {int32, int64} = DT_INT64")
      .doc("For each row the negative logarithm of the label's probability; backprop is its gradient for the logits.")
      .shape([](ShapeContext& c) {
        c.expect_rank(0, 2);
        c.expect_rank(1, 1);
        const Shape& logits = c.input(0);
        const Shape& labels = c.input(1);
        if (!logits.has_rank()) return c.set_output(0, labels);
        if (labels.has_rank() && logits[0] >= 0 && labels[0] >= 0 && logits[0] != labels[0])
          c.fail("logits and labels must have the same first dimension, got logits shape " + logits.str() +
                 " and labels shape " + labels.str());
        if (logits[1] == 0) c.fail("Must have at least one class, but got logits shape " + logits.str());
        const int64_t rows = logits[0] >= 0 || !labels.has_rank() ? logits[0] : labels[0];
        c.set_output(0, Shape{rows});
        c.set_output(1, Shape{rows, logits[1]});
      })
      .cpu([](KernelMake& m) {
        const Rows s = rows_of(m.input_shape(0));
        const DType dtype = m.output_dtype();
        const DType label_dtype = m.input_dtype(1);
        const int threads = m.threads();
        m.allow_in_place(0, 1);
        return kernel([=](KernelRun& run) {
          const int64_t wrong =
              cpu::sparse_softmax_cross_entropy(dtype, label_dtype, run.input_raw(0), run.input_raw(1),
                                                run.output_raw(0), run.output_raw(1), s.rows, s.columns, threads);
          if (wrong < 0) return;
          const int64_t label =
              label_dtype == DType::Int64 ? run.input<int64_t>(1)[wrong] : run.input<int32_t>(1)[wrong];
          throw Error(Code::InvalidArgument, "Received a label value of " + std::to_string(label) +
                                                 " which is outside the valid range of [0, " +
                                                 std::to_string(s.columns) + ").");
        });
      })
      .grad([](GradientContext& g) { cross_entropy_gradient(g, false); })
      .example({.inputs = {{3, 5}, Tensor::vector<int32_t>({4, 0, 2})}});

  r.op("SoftmaxCrossEntropyWithLogits")
      .in("features: T")
      .in("labels: T")
      .out("loss: T")
      .out("backprop: T")
      .attr(kFloats)
      .doc("For each row the cross entropy of the labels' distribution; backprop is its gradient for the logits.")
      .shape([](ShapeContext& c) {
        c.expect_rank(0, 2);
        c.expect_rank(1, 2);
        if (!c.input(0).compatible(c.input(1)))
          c.fail("logits and labels must be broadcastable: logits_size=" + c.input(0).str() +
                 " labels_size=" + c.input(1).str());
        const Shape s = c.input(0).merged(c.input(1));
        if (!s.has_rank()) return;
        c.set_output(0, Shape{s[0]});
        c.set_output(1, s);
      })
      .cpu([](KernelMake& m) {
        const Rows s = rows_of(m.input_shape(0));
        const DType dtype = m.output_dtype();
        const int threads = m.threads();
        m.allow_in_place(0, 1);
        const size_t loss_bytes = static_cast<size_t>(m.output_shape(0).num_elements()) * dtype_size(dtype);
        return kernel([=](KernelRun& run) {
          if (s.columns == 0) {  // nothing is lost
            std::memset(run.output_raw(0), 0, loss_bytes);
            return;
          }
          cpu::softmax_cross_entropy(dtype, run.input_raw(0), run.input_raw(1), run.output_raw(0), run.output_raw(1),
                                     s.rows, s.columns, threads);
        });
      })
      .grad([](GradientContext& g) { cross_entropy_gradient(g, true); })
      .example({.inputs = {{3, 5}, {3, 5}}});
}

}  // namespace vf
