#include "cpu/elementwise.h"

#include "cpu/broadcast.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {

OpBuilder unary_op(OpRegistry& r, const std::string& name, const std::string& types, cpu::UnaryOp op) {
  return r.op(name).in("x: T").out("y: T").attr("T: " + types).shape(shape_rule::unchanged).cpu(unary_kernel(op));
}

OpBuilder binary_op(OpRegistry& r, const std::string& name, const std::string& types, cpu::BinaryOp op) {
  return r.op(name)
      .in("x: T")
      .in("y: T")
      .out("z: T")
      .attr("T: " + types)
      .shape(shape_rule::broadcast)
      .cpu(binary_kernel(op));
}

KernelFunction binary_kernel(cpu::BinaryOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const auto loops = cpu::binary_loops(op, m.input_dtype(0));
    if (!loops) return nullptr;
    const size_t size = dtype_size(m.input_dtype(0));
    const size_t size_y = dtype_size(m.output_dtype());
    const int threads = m.threads();
    const int64_t n = m.output_shape().num_elements();
    ElementwiseLoop each{.elements = n, .operand_bytes = size, .result_bytes = size_y};
    const auto single = [&](int i) { return m.input_shape(i).num_elements() == 1 && n != 1; };
    const auto whole = [&](int i) { return m.input_shape(i) == m.output_shape(); };
    each.single_a = single(0) && whole(1);
    each.single_b = single(1) && whole(0);
    if (whole(0) && whole(1)) each.binary = loops.both;
    if (each.single_a) each.binary = loops.scalar_a;
    if (each.single_b) each.binary = loops.scalar_b;
    if (m.input_shape(0) == m.input_shape(1) && n <= cpu::kGrain) {  // small and equal: only the loop is left
      if (size == size_y) {
        m.allow_in_place(0);
        m.allow_in_place(1);
      }
      return kernel(each, [=](KernelRun& r) { loops.both(r.input_raw(0), r.input_raw(1), r.output_raw(), n); });
    }
    const cpu::BroadcastPlan plan(m.input_shape(0), m.input_shape(1));
    if (size == size_y && plan.in_order_a()) m.allow_in_place(0);
    if (size == size_y && plan.in_order_b()) m.allow_in_place(1);
    const auto run = [=](KernelRun& r) {
      plan.run(loops, size, size_y, r.input_raw(0), r.input_raw(1), r.output_raw(), threads);
    };
    if (!each.binary) return kernel(run);
    return kernel(each, run);
  };
}

KernelFunction unary_kernel(cpu::UnaryOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(0);
    const auto loop = cpu::unary_loop(op, dtype);
    if (!loop) return nullptr;
    if (dtype_size(dtype) == dtype_size(m.output_dtype())) m.allow_in_place(0);
    const int64_t n = m.output_shape().num_elements();
    const int threads = m.threads();
    const ElementwiseLoop each{
        .unary = loop, .elements = n, .operand_bytes = dtype_size(dtype), .result_bytes = dtype_size(m.output_dtype())};
    if (n <= cpu::kGrain) return kernel(each, [=](KernelRun& r) { loop(r.input_raw(0), r.output_raw(), n); });
    return kernel(each, [=](KernelRun& r) { cpu::run_unary(op, dtype, r.input_raw(0), r.output_raw(), n, threads); });
  };
}

void set_broadcast_gradients(GradientContext& g, Output for_a, Output for_b) {
  const Shape& a = g.input(0).shape();
  const Shape& b = g.input(1).shape();
  if (a.fully_defined() && a == b) {
    if (for_a) g.set(0, for_a);
    if (for_b) g.set(1, for_b);
    return;
  }
  const Output shape_a = g.make("Shape", {g.input(0)});
  const Output shape_b = g.make("Shape", {g.input(1)});
  Node* axes = g.make("BroadcastGradientArgs", {shape_a, shape_b}).node;
  if (for_a) g.set(0, g.make("Reshape", {g.make("Sum", {for_a, Output(axes, 0)}), shape_a}));
  if (for_b) g.set(1, g.make("Reshape", {g.make("Sum", {for_b, Output(axes, 1)}), shape_b}));
}

Output sum_to_input(GradientContext& g, int i, Output for_input) {
  const Output input = g.input(i);
  if (input.shape().fully_defined() && input.shape() == g.output().shape()) return for_input;
  const GradientBuilder b(g);
  const Output shape = b.shape(input);
  const Output axes = g.make("BroadcastGradientArgs", {shape, b.shape(g.output())});
  return b.reshape(g.make("Sum", {for_input, axes}), shape);
}

}  // namespace vf
