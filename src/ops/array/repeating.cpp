// Tensors repeated along their dimensions.
#include <vector>

#include "cpu/strided_copy.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"
#include "ops/gradient.h"

namespace vf {
namespace {

void tile_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto multiples = c.constant_ints(1);
  const Shape& entries = c.input(1);
  if (in.has_rank() && entries.has_rank() && entries.rank() == 1 && entries[0] >= 0 && entries[0] != in.rank())
    c.fail("Expected multiples argument to be a vector of length " + std::to_string(in.rank()) + " but got length " +
           std::to_string(entries[0]));
  if (!in.has_rank()) {
    const bool known = entries.has_rank() && entries.rank() == 1 && entries[0] >= 0;
    return c.set_output(0, known ? Shape::of_rank(static_cast<int>(entries[0])) : Shape::unknown());
  }
  Shape out = Shape::of_rank(in.rank());
  for (int i = 0; multiples && i < in.rank(); ++i) {
    const int64_t times = (*multiples)[static_cast<size_t>(i)];
    if (times < 0) c.fail("Expected multiples[" + std::to_string(i) + "] >= 0, but got " + std::to_string(times));
    if (in[i] >= 0) out.set_dim(i, in[i] * times);
  }
  c.set_output(0, out);
}

// dy seen as [multiples[0], size[0], multiples[1], size[1], ...], summed over the multiples.
void tile_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const DType index = g.input(1).dtype();
  const Output shape = g.make("Shape", {g.input(0)}, {{"out_type", index}});
  const Output split = b.reshape(g.make("Pack", {g.input(1), shape}, {{"axis", 1}}), {-1});
  const Output axes = g.make("Range", {0, g.make("Size", {split}), 2});
  g.set(0, b.reshape(g.make("Sum", {b.reshape(g.gradient(), split), axes}), shape));
}

KernelFunction repeat_kernel(bool tile) {
  return [tile](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.output_dtype();
    if (!is_plain(dtype) && dtype != DType::String) return nullptr;
    const size_t size = dtype_size(dtype);
    const Tensor* multiples = tile ? m.constant(1) : nullptr;
    if (tile && !multiples) return nullptr;
    const cpu::StridedCopy copy = tile ? cpu::tile_plan(size, m.input_shape(0), integers(*multiples))
                                       : cpu::broadcast_plan(size, m.input_shape(0), m.output_shape());
    const int threads = m.threads();
    return kernel([=](KernelRun& r) {
      if (dtype == DType::String)
        copy.run_objects(r.input<std::string>(0), r.output<std::string>());
      else
        copy.run(r.input_raw(0), r.output_raw(), threads);
    });
  };
}

void broadcast_to_shape(ShapeContext& c) {
  const Shape to = shape_rule::shape_from_input(c, 1);
  const Shape& in = c.input(0);
  if (c.constant_ints(1) && !to.fully_defined()) c.fail("cannot broadcast to a negative size");
  if (in.has_rank() && to.has_rank()) {
    bool fits = in.rank() <= to.rank();
    for (int i = 1; fits && i <= in.rank(); ++i)
      fits = in.dim(-i) < 0 || to.dim(-i) < 0 || in.dim(-i) == 1 || in.dim(-i) == to.dim(-i);
    if (!fits) c.fail("Incompatible shapes: " + in.str() + " vs. " + to.str());
  }
  c.set_output(0, to);
}

}  // namespace

void register_repeating_ops(OpRegistry& r) {
  r.op("Tile")
      .in("input: T")
      .in("multiples: Tmultiples")
      .out("output: T")
      .attr("T: type")
      .attr("Tmultiples: {int32, int64} = DT_INT32")
      .doc("The input repeated multiples[i] times along dimension i.")
      .shape(tile_shape)
      .cpu(repeat_kernel(true))
      .grad(tile_gradient)
      .example({.inputs = {{2, 3}, Tensor::vector<int32_t>({2, 3})}});

  r.op("BroadcastTo")
      .in("input: T")
      .in("shape: Tidx")
      .out("output: T")
      .attr("T: type")
      .attr("Tidx: {int32, int64} = DT_INT32")
      .doc("The input in a larger shape: dimensions of size 1 and missing ones in front are repeated.")
      .shape(broadcast_to_shape)
      .cpu(repeat_kernel(false))
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output shape = b.shape(g.input(0));
        const Output axes = g.make("BroadcastGradientArgs", {shape, b.shape(g.output())});
        g.set(0, b.reshape(g.make("Sum", {g.gradient(), axes}), shape));
      })
      .example({.inputs = {{3, 1}, Tensor::vector<int32_t>({2, 3, 4})}})
      .example({.inputs = {{}, Tensor::vector<int32_t>({2, 3})}});
}

}  // namespace vf
