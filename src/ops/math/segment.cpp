// Sums over segments of rows.
#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "graph/shape_rules.h"
#include "ops/elements.h"
#include "ops/gradient.h"
#include "ops/index_check.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

void segment_shape(ShapeContext& c) {
  const Shape& data = c.input(0);
  const Shape& ids = c.input(1);
  const auto segments = c.constant_ints(2);
  if (!data.has_rank() || !ids.has_rank()) return c.set_output(0, Shape::unknown());
  if (ids.rank() > data.rank() || !Shape(data.dims().first(static_cast<size_t>(ids.rank()))).compatible(ids))
    c.fail("data.shape = " + data.str() + " does not start with segment_ids.shape = " + ids.str());
  if (segments && (*segments)[0] < 0)
    c.fail("Input num_segments == " + std::to_string((*segments)[0]) + " must not be negative.");
  Shape out{segments ? (*segments)[0] : Shape::kUnknown};
  for (int i = ids.rank(); i < data.rank(); ++i) out.add_dim(data[i]);
  c.set_output(0, out);
}

// Rows are added in their order; threads share the columns.
std::unique_ptr<Kernel> segment_sum_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  const DType index = m.input_dtype(1);
  const auto loops = cpu::binary_loops(cpu::BinaryOp::Add, dtype);
  if (!loops) return nullptr;
  const Shape ids = m.input_shape(1);
  const int64_t rows = ids.num_elements();
  const int64_t segments = m.output_shape()[0];
  const int64_t columns = size_between(m.output_shape(), 1, m.output_shape().rank());
  const size_t size = dtype_size(dtype);
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    for (int64_t i = 0; i < rows; ++i)
      if (const int64_t id = integer_at(index, r.input_raw(1), i); id >= segments)
        fail_index("segment_ids", ids, i, id, segments);
    std::memset(r.output_raw(), 0, static_cast<size_t>(segments * columns) * size);
    parallel_for(threads, columns, std::max<int64_t>(64, cpu::kGrain / std::max<int64_t>(1, rows)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = 0; i < rows; ++i) {
                     const int64_t id = integer_at(index, r.input_raw(1), i);
                     if (id < 0) continue;
                     char* sum = r.output<char>() + static_cast<size_t>(id * columns + begin) * size;
                     const char* x = r.input<char>(0) + static_cast<size_t>(i * columns + begin) * size;
                     loops.both(sum, x, sum, end - begin);
                   }
                 });
  });
}

}  // namespace

void register_segment_ops(OpRegistry& r) {
  r.op("UnsortedSegmentSum")
      .in("data: T")
      .in("segment_ids: Tindices")
      .in("num_segments: Tnumsegments")
      .out("output: T")
      .attr("T: numbertype")
      .attr("Tindices: {int16, int32, int64}")
      .attr("Tnumsegments: {int32, int64} = DT_INT32")
      .doc("output[s] is the sum of the slices of data whose segment id is s; those with a negative id count nowhere.")
      .shape(segment_shape)
      .cpu(segment_sum_kernel)
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output ids = g.input(1);
        const Output gathered = g.make("GatherV2", {g.gradient(), g.make("Maximum", {ids, 0}), 0});
        // ids gets a dimension of 1 for each that gathered has beyond it, so that a whole slice is kept or dropped
        const Output extra = b.sub(g.make("Rank", {gathered}), g.make("Rank", {ids}));
        const Output ones = g.make("Fill", {b.reshape(extra, {1}), 1});
        const Output kept = b.reshape(g.make("GreaterEqual", {ids, 0}), g.make("ConcatV2", {b.shape(ids), ones, 0}));
        g.set(0, b.select(kept, gathered, b.zeros_like(gathered)));
      })
      .example({.inputs = {{4, 3}, Tensor::vector<int32_t>({0, 2, -1, 2}), Tensor(3)}})
      .example({.inputs = {{2, 2, 3}, Tensor::of<int32_t>({2, 2}, {0, 1, 1, 1}), Tensor(2)}});
}

}  // namespace vf
