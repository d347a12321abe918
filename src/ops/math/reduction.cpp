// Sums, means, extremes, ... over any axes.
#include "cpu/reduce.h"

#include <algorithm>
#include <array>

#include "ops/elements.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::ReduceOp;

void reduced_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto axes = c.constant_ints(1);
  const bool keep = c.attr<bool>("keep_dims");
  if (!in.has_rank() || !axes)
    return c.set_output(0, in.has_rank() && keep ? Shape::of_rank(in.rank()) : Shape::unknown());
  std::array<bool, Shape::kMaxRank> reduced{};
  for (int64_t a : *axes) {
    if (a < -in.rank() || a >= in.rank())
      c.fail("Invalid reduction dimension " + std::to_string(a) + " for input with " + std::to_string(in.rank()) +
             " dimensions");
    reduced[static_cast<size_t>(a < 0 ? a + in.rank() : a)] = true;
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!reduced[static_cast<size_t>(i)]) out.add_dim(in[i]);
    if (reduced[static_cast<size_t>(i)] && keep) out.add_dim(1);
  }
  c.set_output(0, out);
}

KernelFunction reduce_kernel(ReduceOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(0);
    if (dtype != DType::Bool && !is_floating(dtype) && !is_integer(dtype)) return nullptr;
    const Tensor* axes = m.constant(1);
    if (!axes) return nullptr;
    const cpu::ReducePlan plan(op, dtype, m.input_shape(0), integers(*axes), m.attr<bool>("keep_dims"));
    m.set_scratch(plan.scratch_bytes());
    const int threads = m.threads();
    return kernel([=](KernelRun& r) { plan.run(r.input_raw(0), r.output_raw(), r.scratch(), threads); });
  };
}

// The shape of the result with the reduced axes kept as 1, and those axes, none negative.
struct Kept {
  Output shape;
  Output axes;
};
Kept kept(GradientContext& g) {
  const GradientBuilder b(g);
  const Output input_shape = b.shape(g.input(0));
  const Output rank = g.make("Size", {input_shape});
  const Output axes = g.make("FloorMod", {b.add(b.cast(g.input(1), DType::Int32), rank), rank});
  const Output ones = g.make("Fill", {b.shape(axes), 1});
  NodeBuilder stitch(g.node().graph(), "DynamicStitch");
  stitch.inputs({g.make("Range", {0, rank, 1}), axes}).inputs({input_shape, ones});
  return {stitch.output(), axes};
}

// The gradient of a sum, spread over what was summed.
Output spread(GradientContext& g) {
  const GradientBuilder b(g);
  Output dy = g.gradient();
  if (!g.node().attr<bool>("keep_dims")) dy = b.reshape(dy, kept(g).shape);
  return g.make("BroadcastTo", {dy, b.shape(g.input(0))});
}

void mean_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output size = g.make("Maximum", {g.make("Size", {g.output()}), 1});
  const Output count = g.make("FloorDiv", {g.make("Size", {g.input(0)}), size});
  g.set(0, b.div(spread(g), b.cast(count, g.gradient().dtype())));
}

// Ties share the gradient.
void extreme_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output shape = kept(g).shape;
  const Output y = b.reshape(g.output(), shape);
  const Output dy = b.reshape(g.gradient(), shape);
  const Output chosen = b.cast(g.make("Equal", {y, g.input(0)}), dy.dtype());
  const Output count = b.reshape(g.make("Sum", {chosen, g.input(1)}), shape);
  g.set(0, b.mul(b.div(chosen, count), dy));
}

// Each value's factor is the product of all others, from both sides, so that zeros do no harm. The reduced axes are
// brought to the front and made one.
void product_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const Output x = g.input(0);
  const Output input_shape = b.shape(x);
  Kept k = kept(g);
  k.axes = b.reshape(k.axes, Tensor::vector<int32_t>({-1}));  // one axis may come as a scalar
  const Output dy = g.make("BroadcastTo", {b.reshape(g.gradient(), k.shape), input_shape});
  const Output all = g.make("Range", {0, g.make("Size", {input_shape}), 1});
  const Output others = g.make("ListDiff", {all, k.axes});
  const Output order = g.make("ConcatV2", {k.axes, others, 0});
  const auto count = [&](Output axes) { return g.make("Prod", {g.make("GatherV2", {input_shape, axes, 0}), {0}}); };
  const Output moved = g.make("Transpose", {x, order});
  const Output matrix = b.reshape(moved, g.make("Pack", {count(k.axes), count(others)}));
  const Output before = g.make("Cumprod", {matrix, 0}, {{"exclusive", true}});
  const Output after = g.make("Cumprod", {matrix, 0}, {{"exclusive", true}, {"reverse", true}});
  const Output factors = b.reshape(b.mul(before, after), b.shape(moved));
  const Output back = g.make("Transpose", {factors, g.make("InvertPermutation", {order})});
  g.set(0, b.reshape(b.mul(dy, back), input_shape));
}

// "Sum" is tf.reduce_sum.
std::string python_name(std::string name) {
  name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  return "reduce_" + name;
}

OpBuilder reduction(OpRegistry& r, const std::string& name, const std::string& types, ReduceOp op) {
  return r.op(name)
      .function(python_name(name))
      .in("input: T")
      .in("reduction_indices: Tidx")
      .out("output: T")
      .attr("keep_dims: bool = false")
      .attr("T: " + types)
      .attr("Tidx: {int32, int64} = DT_INT32")
      .shape(reduced_shape)
      .cpu(reduce_kernel(op))
      .example({.inputs = {{2, 3, 4}, Tensor::vector<int32_t>({0, 2})}})
      .example({.inputs = {{2, 3}, Tensor(-1)}, .attrs = {{"keep_dims", true}}})
      .example({.inputs = {{2, 3}, Tensor::vector<int32_t>({})}});
}

OpBuilder logical_reduction(OpRegistry& r, const std::string& name, ReduceOp op) {
  return r.op(name)
      .function(python_name(name))
      .in("input: bool")
      .in("reduction_indices: Tidx")
      .out("output: bool")
      .attr("keep_dims: bool = false")
      .attr("Tidx: {int32, int64} = DT_INT32")
      .shape(reduced_shape)
      .cpu(reduce_kernel(op))
      .no_grad()
      .example({.inputs = {{2, 3, 4}, Tensor::vector<int32_t>({0, 2})}})
      .example({.inputs = {{2, 3}, Tensor(1)}, .attrs = {{"keep_dims", true}}});
}

}  // namespace

void register_reduction_ops(OpRegistry& r) {
  const char* const ordered =
      "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
      "qint32, qint16, quint16}";
  reduction(r, "Sum", "numbertype", ReduceOp::Sum)
      .doc("The sum over the axes that reduction_indices names.")
      .grad([](GradientContext& g) { g.set(0, spread(g)); });
  reduction(r, "Mean", "numbertype", ReduceOp::Mean)
      .doc("The mean over the axes that reduction_indices names; integers truncate.")
      .grad(mean_gradient);
  reduction(r, "Prod", "numbertype", ReduceOp::Prod)
      .doc("The product over the axes that reduction_indices names.")
      .grad(product_gradient);
  reduction(r, "Max", ordered, ReduceOp::Max)
      .doc("The greatest value over the axes that reduction_indices names; NaN where there is one.")
      .grad(extreme_gradient);
  reduction(r, "Min", ordered, ReduceOp::Min)
      .doc("The least value over the axes that reduction_indices names; NaN where there is one.")
      .grad(extreme_gradient);
  logical_reduction(r, "Any", ReduceOp::Any).doc("Whether any value holds over the axes that reduction_indices names.");
  logical_reduction(r, "All", ReduceOp::All).doc("Whether all values hold over the axes that reduction_indices names.");
}

}  // namespace vf
