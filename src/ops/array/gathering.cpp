// Slices chosen by index.
#include "cpu/layout.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"
#include "ops/gradient.h"
#include "ops/index_check.h"

namespace vf {

Shape gathered_shape(const Shape& params, const Shape& indices, int axis, int batch_dims) {
  Shape out;
  for (int i = 0; i < axis; ++i) out.add_dim(params[i]);
  for (int i = batch_dims; i < indices.rank(); ++i) out.add_dim(indices[i]);
  for (int i = axis + 1; i < params.rank(); ++i) out.add_dim(params[i]);
  return out;
}

std::unique_ptr<Kernel> gather_kernel(DType dtype, const Shape& params, DType index, const Shape& indices, int axis,
                                      int batch_dims, int threads) {
  if (!is_plain(dtype) || (index != DType::Int32 && index != DType::Int64)) return nullptr;
  const size_t size = dtype_size(dtype);
  const int64_t batches = size_between(params, 0, batch_dims);
  const int64_t outer = size_between(params, batch_dims, axis);
  const int64_t rows = params[axis];
  const int64_t inner = size_between(params, axis + 1, params.rank());
  const int64_t count = size_between(indices, batch_dims, indices.rank());
  return kernel([=](KernelRun& r) {
    for (int64_t b = 0; b < batches; ++b) {
      const char* x = r.input<char>(0) + static_cast<size_t>(b * outer * rows * inner) * size;
      const char* at = r.input<char>(1) + static_cast<size_t>(b * count) * dtype_size(index);
      char* y = r.output<char>() + static_cast<size_t>(b * outer * count * inner) * size;
      const int64_t bad = cpu::gather(size, x, index, at, y, outer, rows, inner, count, threads);
      if (bad >= 0) fail_index("indices", indices, b * count + bad, integer_at(index, at, bad), rows);
    }
  });
}

namespace {

struct Place {
  int axis;
  int batch_dims;
};

// Axis and batch_dims of GatherV2, none negative.
Place place_of(const Node& node, int64_t axis, int params_rank, int indices_rank) {
  int64_t batch = node.attr<int64_t>("batch_dims");
  if (batch < 0) batch += indices_rank;
  return {static_cast<int>(axis < 0 ? axis + params_rank : axis), static_cast<int>(batch)};
}

void gather_v2_shape(ShapeContext& c) {
  const Shape& params = c.input(0);
  const Shape& indices = c.input(1);
  const auto axis = c.constant_ints(2);
  if (!params.has_rank() || !indices.has_rank()) return c.set_output(0, Shape::unknown());
  if (!axis) {
    const int64_t batch = c.attr<int64_t>("batch_dims");
    const int shared = static_cast<int>(batch < 0 ? batch + indices.rank() : batch);
    return c.set_output(0, Shape::of_rank(params.rank() - 1 + indices.rank() - shared));
  }
  if ((*axis)[0] < -params.rank() || (*axis)[0] >= params.rank())
    c.fail("Shape must be at least rank " + std::to_string((*axis)[0] + 1) + " but is rank " +
           std::to_string(params.rank()));
  const Place p = place_of(c.node(), (*axis)[0], params.rank(), indices.rank());
  if (p.batch_dims < 0 || p.batch_dims > indices.rank())
    c.fail("Expected batch_dims in the range [" + std::to_string(-indices.rank()) + ", " +
           std::to_string(indices.rank()) + "], but got " + std::to_string(p.batch_dims));
  if (p.axis < p.batch_dims)
    c.fail("batch_dims (" + std::to_string(p.batch_dims) + ") must be less than or equal to axis (" +
           std::to_string(p.axis) + ")");
  for (int i = 0; i < p.batch_dims; ++i)
    if (params[i] >= 0 && indices[i] >= 0 && params[i] != indices[i])
      c.fail("params.shape[" + std::to_string(i) + "] = " + std::to_string(params[i]) +
             " should be equal to indices.shape[" + std::to_string(i) + "] = " + std::to_string(indices[i]));
  c.set_output(0, gathered_shape(params, indices, p.axis, p.batch_dims));
}

// Rows of dy added up by the index that they were taken from.
Output first_axis_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output shape = b.shape(g.input(0));
  const Output tail = g.make("StridedSlice", {shape, {1}, {0}, {1}}, {{"end_mask", 1}});
  const Output rows = g.make("StridedSlice", {shape, {0}, {1}, {1}}, {{"shrink_axis_mask", 1}});
  const Output count = b.reshape(g.make("Size", {g.input(1)}), {1});
  const Output values = b.reshape(g.gradient(), g.make("ConcatV2", {count, tail, 0}));
  return b.reshape(g.make("UnsortedSegmentSum", {values, b.reshape(g.input(1), {-1}), rows}), shape);
}

bool is_first_axis(const Node& gather) {
  const Node* axis = gather.input(2).node;
  return axis->op().constant && axis->attr<Tensor>("value").number(0) == 0 && gather.attr<int64_t>("batch_dims") == 0;
}

// A gather along an axis behind others: all dimensions before it become one, and each of its places gets rows of its
// own, so that what is left is a gather along the first axis.
void gather_v2_gradient(GradientContext& g) {
  if (is_first_axis(g.node())) return g.set(0, first_axis_gradient(g));
  const GradientBuilder b(g);
  const Output indices = g.input(1);
  const Output shape = b.shape(g.input(0));
  const Output axis = g.make("FloorMod", {b.cast(g.input(2), DType::Int32), g.make("Size", {shape})});
  Operand batch = g.node().attr<int64_t>("batch_dims");
  if (g.node().attr<int64_t>("batch_dims") < 0) batch = b.add(g.make("Rank", {indices}), batch);
  const auto vector = [&](const Operand& value) { return g.make("Pack", {value}, {{"T", DType::Int32}}); };
  const auto product = [&](const Operand& begin, const Operand& end) {
    return g.make("Prod", {g.make("StridedSlice", {shape, vector(begin), vector(end), {1}}), {0}});
  };
  const Output behind = b.add(axis, 1);
  const Output batches = product(0, batch);
  const Output places = b.mul(batches, product(batch, axis));
  const Output rows = product(axis, behind);
  const Output tail = g.make("StridedSlice", {shape, vector(behind), {0}, {1}}, {{"end_mask", 1}});
  // indices as [batches, 1, count] + the first row of each place as [batches, places in a batch, 1]
  const Output each = g.make("Maximum", {batches, 1});
  const Output starts = b.reshape(b.mul(g.make("Range", {0, places, 1}), rows),
                                  g.make("Pack", {batches, g.make("FloorDiv", {places, each}), 1}));
  const Output count = g.make("FloorDiv", {g.make("Size", {indices}), each});
  const Output chosen = b.add(b.reshape(indices, g.make("Pack", {batches, 1, count})), b.cast(starts, indices.dtype()));
  const Output values =
      b.reshape(g.gradient(), g.make("ConcatV2", {b.reshape(g.make("Size", {chosen}), {1}), tail, 0}));
  const Output sums = g.make("UnsortedSegmentSum", {values, b.reshape(chosen, {-1}), b.mul(places, rows)});
  g.set(0, b.reshape(sums, shape));
}

}  // namespace

void register_gathering_ops(OpRegistry& r) {
  r.op("Gather")
      .in("params: Tparams")
      .in("indices: Tindices")
      .out("output: Tparams")
      .attr("validate_indices: bool = true")
      .attr("Tparams: type")
      .attr("Tindices: {int32, int64}")
      .function("gather_v1")
      .doc("The slices params[i] of the first dimension, for each i of indices.")
      .shape([](ShapeContext& c) {
        if (!c.input(0).has_rank() || !c.input(1).has_rank()) return c.set_output(0, Shape::unknown());
        if (c.input(0).rank() < 1) c.fail("Shape must be at least rank 1 but is rank 0");
        c.set_output(0, gathered_shape(c.input(0), c.input(1), 0, 0));
      })
      .cpu([](KernelMake& m) {
        return gather_kernel(m.output_dtype(), m.input_shape(0), m.input_dtype(1), m.input_shape(1), 0, 0, m.threads());
      })
      .grad([](GradientContext& g) { g.set(0, first_axis_gradient(g)); })
      .example({.inputs = {{4, 3}, Tensor::of<int32_t>({2, 2}, {0, 2, 2, 3})}});

  r.op("GatherV2")
      .in("params: Tparams")
      .in("indices: Tindices")
      .in("axis: Taxis")
      .out("output: Tparams")
      .attr("batch_dims: int = 0")
      .attr("Tparams: type")
      .attr("Tindices: {int16, int32, int64}")
      .attr("Taxis: {int32, int64}")
      .function("gather")
      .doc(
          "The slices of params along an axis that indices name; the first batch_dims dimensions are gathered in turn.")
      .shape(gather_v2_shape)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const Tensor* axis = m.constant(2);
        if (!axis) return nullptr;
        const Place p =
            place_of(m.node(), static_cast<int64_t>(axis->number(0)), m.input_shape(0).rank(), m.input_shape(1).rank());
        return gather_kernel(m.output_dtype(), m.input_shape(0), m.input_dtype(1), m.input_shape(1), p.axis,
                             p.batch_dims, m.threads());
      })
      .grad(gather_v2_gradient)
      .example({.inputs = {{4, 3}, Tensor::of<int32_t>({2, 2}, {0, 2, 2, 3}), Tensor(0)}})
      .example({.inputs = {{2, 4, 3}, Tensor::vector<int32_t>({2, 0, 2}), Tensor(-1)}})
      .example(
          {.inputs = {{2, 4, 3}, Tensor::of<int32_t>({2, 2}, {0, 2, 2, 3}), Tensor(1)}, .attrs = {{"batch_dims", 1}}});
}

}  // namespace vf
