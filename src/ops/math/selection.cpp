// One of two tensors, element by element.
#include <array>
#include <optional>

#include "cpu/broadcast.h"
#include "cpu/layout.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

// `condition` may also be a scalar, or a vector that chooses whole rows.
void select_shape(ShapeContext& c) {
  const Shape& condition = c.input(0);
  Shape s = c.input(1);
  if (!s.compatible(c.input(2))) c.fail("'then' and 'else' must have the same size, but received");
  s = s.merged(c.input(2));
  c.set_output(0, s);
  if (!condition.has_rank() || !s.has_rank() || condition.rank() == 0) return;
  const bool rows = condition.rank() == 1 && s.rank() > 1;
  if (rows ? condition[0] >= 0 && s[0] >= 0 && condition[0] != s[0] : !condition.compatible(s))
    c.fail("'condition' must have the shape of 't', or be a scalar, or a vector of as many elements as 't' has rows");
}

std::unique_ptr<Kernel> select_kernel(KernelMake& m) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const Shape& condition = m.input_shape(0);
  const int64_t n = m.output_shape().num_elements();
  const int64_t rows = condition.num_elements();
  const bool same = condition == m.output_shape();
  const size_t size = dtype_size(m.output_dtype());
  const int64_t inner = rows > 0 ? n / rows : 0;
  const int threads = m.threads();
  if (same) {
    m.allow_in_place(1);
    m.allow_in_place(2);
  }
  return kernel([=](KernelRun& r) {
    const bool* c = r.input<bool>(0);
    if (same)
      cpu::select(size, c, r.input_raw(1), r.input_raw(2), r.output_raw(), n, threads);
    else
      cpu::select_rows(size, c, r.input_raw(1), r.input_raw(2), r.output_raw(), rows, inner, threads);
  });
}

void select_v2_shape(ShapeContext& c) {
  c.set_output(0, shape_rule::broadcast_shapes(c, shape_rule::broadcast_shapes(c, c.input(1), c.input(2)), c.input(0)));
}

// Operands that are not of the result's shape are first spread out to it.
struct Spread {
  std::optional<cpu::StridedCopy> copy;
  size_t offset = 0;

  const void* get(const void* operand, void* scratch, int threads) const {
    if (!copy) return operand;
    char* to = static_cast<char*>(scratch) + offset;
    copy->run(operand, to, threads);
    return to;
  }
};

std::unique_ptr<Kernel> select_v2_kernel(KernelMake& m) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const Shape shape = m.output_shape();
  const int64_t n = shape.num_elements();
  const size_t size = dtype_size(m.output_dtype());
  std::array<Spread, 3> spread;
  size_t scratch = 0;
  for (int i = 0; i < 3; ++i) {
    if (m.input_shape(i) == shape) continue;
    const size_t element = i == 0 ? 1 : size;
    spread[static_cast<size_t>(i)] = {cpu::broadcast_plan(element, m.input_shape(i), shape), scratch};
    scratch += (static_cast<size_t>(n) * element + 63) / 64 * 64;
  }
  m.set_scratch(scratch);
  const int threads = m.threads();
  if (!spread[1].copy) m.allow_in_place(1);
  if (!spread[2].copy) m.allow_in_place(2);
  return kernel([=](KernelRun& r) {
    const void* c = spread[0].get(r.input_raw(0), r.scratch(), threads);
    const void* a = spread[1].get(r.input_raw(1), r.scratch(), threads);
    const void* b = spread[2].get(r.input_raw(2), r.scratch(), threads);
    cpu::select(size, static_cast<const bool*>(c), a, b, r.output_raw(), n, threads);
  });
}

// Limits are scalars, or broadcast to the shape of t.
std::unique_ptr<Kernel> clip_kernel(KernelMake& m) {
  const auto minimum = cpu::binary_loops(cpu::BinaryOp::Minimum, m.output_dtype());
  const auto maximum = cpu::binary_loops(cpu::BinaryOp::Maximum, m.output_dtype());
  if (!minimum) return nullptr;
  const cpu::BroadcastPlan above(m.input_shape(0), m.input_shape(2));
  const cpu::BroadcastPlan below(m.output_shape(), m.input_shape(1));
  const size_t size = dtype_size(m.output_dtype());
  const int threads = m.threads();
  m.allow_in_place(0);
  return kernel([=](KernelRun& r) {
    above.run(minimum, size, size, r.input_raw(0), r.input_raw(2), r.output_raw(), threads);
    below.run(maximum, size, size, r.output_raw(), r.input_raw(1), r.output_raw(), threads);
  });
}

}  // namespace

void register_selection_ops(OpRegistry& r) {
  r.op("Select")
      .in("condition: bool")
      .in("t: T")
      .in("e: T")
      .out("output: T")
      .attr("T: type")
      .doc("t where the condition holds, else e; a condition that is a vector chooses whole rows.")
      .shape(select_shape)
      .cpu(select_kernel)
      .grad([](GradientContext& g) {
        const Output zeros = g.make("ZerosLike", {g.gradient()});
        g.set(1, g.make("Select", {g.input(0), g.gradient(), zeros}));
        g.set(2, g.make("Select", {g.input(0), zeros, g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {2, 3}, {2, 3}}})
      .example({.inputs = {{2}, {2, 3}, {2, 3}}})
      .example({.inputs = {{}, {2, 3}, {2, 3}}});

  r.op("SelectV2")
      .in("condition: bool")
      .in("t: T")
      .in("e: T")
      .out("output: T")
      .attr("T: type")
      .doc("t where the condition holds, else e, with broadcasting.")
      .shape(select_v2_shape)
      .cpu(select_v2_kernel)
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output zeros = b.zeros_like(g.gradient());
        g.set(1, sum_to_input(g, 1, b.select(g.input(0), g.gradient(), zeros)));
        g.set(2, sum_to_input(g, 2, b.select(g.input(0), zeros, g.gradient())));
      })
      .example({.inputs = {{2, 3}, {2, 3}, {2, 3}}})
      .example({.inputs = {{2, 1}, {3}, {}}});

  r.op("ClipByValue")
      .in("t: T")
      .in("clip_value_min: T")
      .in("clip_value_max: T")
      .out("output: T")
      .attr("T: numbertype")
      .function("clip_by_value_op")
      .doc("t, held between the two limits: scalars, or of the shape of t.")
      .shape(shape_rule::unchanged)
      .cpu(clip_kernel)
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output below = g.make("Less", {g.input(0), g.input(1)});
        const Output above = g.make("Greater", {g.input(0), g.input(2)});
        const Output zeros = b.zeros_like(g.gradient());
        g.set(0, b.select(g.make("LogicalOr", {below, above}), zeros, g.gradient()));
        g.set(1, sum_to_input(g, 1, b.select(below, g.gradient(), zeros)));
        g.set(2, sum_to_input(g, 2, b.select(above, g.gradient(), zeros)));
      })
      .example({.inputs = {{3, 5}, Tensor(-0.5F), Tensor(0.5F)}, .kinks = {-0.5, 0.5}});
}

}  // namespace vf
