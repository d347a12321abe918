// Rows of a variable changed by index, in place and in the order of the indices.
#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"
#include "ops/index_check.h"
#include "ops/state/state_ops.h"

namespace vf {
namespace {

struct Kind {
  const char* name;
  std::optional<cpu::BinaryOp> op;  // none: the row is replaced
  const char* doc;
};

constexpr Kind kKinds[] = {
    {"Update", std::nullopt, "variable[indices[i]] = updates[i]"},
    {"Add", cpu::BinaryOp::Add, "variable[indices[i]] += updates[i]; equal indices add up."},
    {"Sub", cpu::BinaryOp::Sub, "variable[indices[i]] -= updates[i]; equal indices add up."},
    {"Mul", cpu::BinaryOp::Mul, "variable[indices[i]] *= updates[i]"},
    {"Div", cpu::BinaryOp::Div, "variable[indices[i]] /= updates[i]"},
    {"Min", cpu::BinaryOp::Minimum, "variable[indices[i]] = min(variable[indices[i]], updates[i])"},
    {"Max", cpu::BinaryOp::Maximum, "variable[indices[i]] = max(variable[indices[i]], updates[i])"},
};

void scatter_shape(ShapeContext& c) {
  const Shape& variable = c.input(0);
  const Shape& indices = c.input(1);
  const Shape& updates = c.input(2);
  if (c.node().num_outputs() > 0) c.set_output(0, variable);
  if (variable.has_rank() && variable.rank() < 1) c.fail("Shape must be at least rank 1 but is rank 0");
  if (!variable.has_rank() || !indices.has_rank() || !updates.has_rank() || updates.rank() == 0) return;
  Shape want = indices;
  for (int i = 1; i < variable.rank(); ++i) want.add_dim(variable[i]);
  if (!want.compatible(updates))
    c.fail("Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape " +
           updates.str() + ", indices.shape " + indices.str() + ", params.shape " + variable.str());
}

// All indices are checked before the first row is written.
KernelFunction scatter_kernel(std::optional<cpu::BinaryOp> op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(2);
    const cpu::BinaryLoops loops = op ? cpu::binary_loops(*op, dtype) : cpu::BinaryLoops{};
    if (op && !loops) return nullptr;
    const DType index = m.input_dtype(1);
    const Shape indices = m.input_shape(1);
    const int64_t count = indices.num_elements();
    const int64_t rows = m.input_shape(0)[0];
    const int64_t columns = size_between(m.input_shape(0), 1, m.input_shape(0).rank());
    const bool one = m.input_shape(2).rank() == 0;
    const size_t size = dtype_size(dtype);
    return kernel([=](KernelRun& r) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = integer_at(index, r.input_raw(1), i);
        if (row < 0 || row >= rows) fail_index("indices", indices, i, row, rows);
      }
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = integer_at(index, r.input_raw(1), i);
        char* to = r.variable<char>(0) + static_cast<size_t>(row * columns) * size;
        const char* from = r.input<char>(2) + (one ? 0 : static_cast<size_t>(i * columns) * size);
        if (op)
          (one ? loops.scalar_b : loops.both)(to, from, to, columns);
        else if (!one)
          copy_elements(dtype, from, to, columns);
        else
          for (int64_t k = 0; k < columns; ++k) copy_elements(dtype, from, to + static_cast<size_t>(k) * size, 1);
      }
    });
  };
}

// Of the value that the handle stands for: rows of dy added up by index.
void resource_gather_gradient(GradientContext& g) {
  const Output shape = g.make("VariableShape", {g.input(0)});
  const Output tail = g.make("StridedSlice", {shape, {1}, {0}, {1}}, {{"end_mask", 1}});
  const Output rows = g.make("StridedSlice", {shape, {0}, {1}, {1}}, {{"shrink_axis_mask", 1}});
  const Output count = g.make("Reshape", {g.make("Size", {g.input(1)}), {1}});
  const Output values = g.make("Reshape", {g.gradient(), g.make("ConcatV2", {count, tail, 0})});
  const Output indices = g.make("Reshape", {g.input(1), {-1}});
  g.set(0, g.make("UnsortedSegmentSum", {values, indices, rows}));
}

}  // namespace

void register_scatter_ops(OpRegistry& r) {
  for (const Kind& kind : kKinds) {
    const bool update = !kind.op;
    const bool extreme = kind.op == cpu::BinaryOp::Minimum || kind.op == cpu::BinaryOp::Maximum;
    r.op(std::string("Scatter") + kind.name)
        .in("ref: Ref(T)")
        .in("indices: Tindices")
        .in("updates: T")
        .out("output_ref: Ref(T)")
        .attr(update    ? "T: type"
              : extreme ? "T: {half, bfloat16, float, double, int32, int64}"
                        : "T: numbertype")
        .attr("Tindices: {int32, int64}")
        .attr(update ? "use_locking: bool = true" : "use_locking: bool = false")
        .updates("ref")
        .doc(kind.doc)
        .shape(scatter_shape)
        .cpu(scatter_kernel(kind.op))
        .no_grad();
    r.op(std::string("ResourceScatter") + kind.name)
        .in("resource: resource")
        .in("indices: Tindices")
        .in("updates: dtype")
        .attr(update ? "dtype: type" : "dtype: numbertype")
        .attr("Tindices: {int32, int64}")
        .stateful()
        .updates("resource")
        .doc(kind.doc)
        .shape(scatter_shape)
        .cpu(scatter_kernel(kind.op))
        .no_grad();
  }

  r.op("ResourceGather")
      .in("resource: resource")
      .in("indices: Tindices")
      .out("output: dtype")
      .attr("batch_dims: int = 0")
      .attr("validate_indices: bool = true")
      .attr("dtype: type")
      .attr("Tindices: {int32, int64}")
      .stateful()
      .reads("resource")
      .doc("The variable's rows that indices name.")
      .shape([](ShapeContext& c) {
        if (!c.input(0).has_rank() || !c.input(1).has_rank()) return c.set_output(0, Shape::unknown());
        if (c.input(0).rank() < 1) c.fail("Shape must be at least rank 1 but is rank 0");
        const auto batch = static_cast<int>(c.attr<int64_t>("batch_dims"));
        c.set_output(0, gathered_shape(c.input(0), c.input(1), batch, batch));
      })
      .cpu([](KernelMake& m) {
        const auto batch = static_cast<int>(m.attr<int64_t>("batch_dims"));
        return gather_kernel(m.output_dtype(), m.input_shape(0), m.input_dtype(1), m.input_shape(1), batch, batch,
                             m.threads());
      })
      .grad([](GradientContext& g) {
        if (g.node().attr<int64_t>("batch_dims") != 0)
          throw Error(Code::Unimplemented, "ResourceGather", g.node().name(), "has no gradient with batch_dims");
        resource_gather_gradient(g);
      });

  r.op("VariableShape")
      .in("input: resource")
      .out("output: out_type")
      .attr("out_type: {int32, int64} = DT_INT32")
      .stateful()
      .reads("input")
      .doc("The shape of the variable's value.")
      .shape([](ShapeContext& c) {
        const Shape& s = c.input(0);
        c.set_output(0, Shape{s.has_rank() ? s.rank() : Shape::kUnknown});
      })
      .cpu([](KernelMake& m) {
        const Shape s = m.input_shape(0);
        const bool wide = m.output_dtype() == DType::Int64;
        return kernel([=](KernelRun& run) {
          for (int i = 0; i < s.rank(); ++i) {
            if (wide)
              run.output<int64_t>()[i] = s[i];
            else
              run.output<int32_t>()[i] = static_cast<int32_t>(s[i]);
          }
        });
      })
      .no_grad();
}

}  // namespace vf
