// Tensors made from indices: one-hot vectors, stitched rows, differences of lists.
#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/layout.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"

namespace vf {
namespace {

void one_hot_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto depth = c.constant_ints(1);
  if (!in.has_rank()) return c.set_output(0, Shape::unknown());
  const int64_t axis = c.attr<int64_t>("axis");
  if (axis < -1 || axis > in.rank())
    c.fail("axis must be >= -1 and <= " + std::to_string(in.rank()) + " but is " + std::to_string(axis));
  if (depth && (*depth)[0] < 0) c.fail("depth must be non-negative, got: " + std::to_string((*depth)[0]));
  const int64_t at = axis < 0 ? in.rank() : axis;
  Shape out;
  for (int i = 0; i <= in.rank(); ++i) {
    if (i == at) out.add_dim(depth ? (*depth)[0] : Shape::kUnknown);
    if (i < in.rank()) out.add_dim(in[i]);
  }
  c.set_output(0, out);
}

// One more than the greatest index: the rows of a stitched tensor.
void stitch_shape(ShapeContext& c) {
  const int n = c.num_inputs() / 2;
  int64_t rows = 0;
  Shape tail = Shape::unknown();
  for (int i = 0; i < n; ++i) {
    const auto indices = c.constant_ints(i);
    if (!indices) rows = Shape::kUnknown;
    for (size_t k = 0; indices && rows >= 0 && k < indices->size(); ++k) rows = std::max(rows, (*indices)[k] + 1);
    const Shape& index = c.input(i);
    const Shape& data = c.input(n + i);
    if (!index.has_rank() || !data.has_rank()) continue;
    if (data.rank() < index.rank() || !Shape(data.dims().first(static_cast<size_t>(index.rank()))).compatible(index))
      c.fail("data[" + std::to_string(i) + "].shape = " + data.str() + " does not start with indices[" +
             std::to_string(i) + "].shape = " + index.str());
    const Shape rest(data.dims().subspan(static_cast<size_t>(index.rank())));
    if (!tail.compatible(rest)) c.fail("the slices of data differ in shape");
    tail = tail.merged(rest);
  }
  if (!tail.has_rank()) return c.set_output(0, tail);
  Shape out{rows};
  for (int64_t d : tail.dims()) out.add_dim(d);
  c.set_output(0, out);
}

std::unique_ptr<Kernel> stitch_kernel(KernelMake& m) {
  const int n = m.num_inputs() / 2;
  const DType dtype = m.output_dtype();
  const int64_t rows = m.output_shape()[0];
  const int64_t inner = size_between(m.output_shape(), 1, m.output_shape().rank());
  const size_t size = dtype_size(dtype);
  std::vector<int64_t> counts;
  for (int i = 0; i < n; ++i) counts.push_back(m.input_shape(i).num_elements());
  return kernel([=](KernelRun& r) {
    if (is_plain(dtype)) std::memset(r.output_raw(), 0, static_cast<size_t>(rows * inner) * size);  // rows without data
    for (int i = 0; i < n; ++i) {
      const auto* x = r.input<char>(n + i);
      for (int64_t k = 0; k < counts[static_cast<size_t>(i)]; ++k) {
        const int64_t row = r.input<int32_t>(i)[k];
        if (row < 0 || row >= rows)
          throw Error(Code::InvalidArgument,
                      "indices[" + std::to_string(k) + "] = " + std::to_string(row) + " is out of range");
        copy_elements(dtype, x + static_cast<size_t>(k * inner) * size,
                      r.output<char>() + static_cast<size_t>(row * inner) * size, inner);
      }
    }
  });
}

// Values of x that are not in y, with their places.
std::vector<size_t> difference(const std::vector<int64_t>& x, std::vector<int64_t> y) {
  std::sort(y.begin(), y.end());
  std::vector<size_t> places;
  for (size_t i = 0; i < x.size(); ++i)
    if (!std::binary_search(y.begin(), y.end(), x[i])) places.push_back(i);
  return places;
}

std::unique_ptr<Kernel> list_diff_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype(0);
  if (dtype != DType::Int32 && dtype != DType::Int64) return nullptr;
  const Tensor* x = m.constant(0);
  const Tensor* y = m.constant(1);
  if (!x || !y) return nullptr;
  const std::vector<int64_t> values = integers(*x);
  const std::vector<size_t> places = difference(values, integers(*y));
  const DType index = m.output_dtype(1);
  const auto put = [](DType to, void* p, size_t i, int64_t value) {
    if (to == DType::Int64)
      static_cast<int64_t*>(p)[i] = value;
    else
      static_cast<int32_t*>(p)[i] = static_cast<int32_t>(value);
  };
  return kernel([=](KernelRun& r) {
    for (size_t i = 0; i < places.size(); ++i) {
      put(dtype, r.output_raw(0), i, values[places[i]]);
      put(index, r.output_raw(1), i, static_cast<int64_t>(places[i]));
    }
  });
}

}  // namespace

void register_indexing_ops(OpRegistry& r) {
  r.op("OneHot")
      .in("indices: TI")
      .in("depth: int32")
      .in("on_value: T")
      .in("off_value: T")
      .out("output: T")
      .attr("axis: int = -1")
      .attr("T: type")
      .attr("TI: {uint8, int8, int32, int64} = DT_INT64")
      .doc("For each index a vector of `depth` off_values with on_value at the index; the new dimension is `axis`.")
      .shape(one_hot_shape)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        if (!is_plain(m.output_dtype())) return nullptr;
        const size_t size = dtype_size(m.output_dtype());
        const DType index = m.input_dtype(0);
        const Shape& out = m.output_shape();
        const int64_t axis = m.attr<int64_t>("axis");
        const int at = static_cast<int>(axis < 0 ? out.rank() - 1 : axis);
        const int64_t outer = size_between(out, 0, at);
        const int64_t depth = out[at];
        const int64_t inner = size_between(out, at + 1, out.rank());
        const int threads = m.threads();
        return kernel([=](KernelRun& run) {
          cpu::one_hot(size, index, run.input_raw(0), run.input_raw(2), run.input_raw(3), run.output_raw(), outer,
                       depth, inner, threads);
        });
      })
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({0, 2, -1, 5}), Tensor(3), Tensor(1.0F), Tensor(0.0F)}})
      .example({.inputs = {Tensor::of<int32_t>({1, 2}, {0, 2}), Tensor(3), Tensor(5.0F), Tensor(-1.0F)},
                .attrs = {{"axis", 0}}});

  r.op("DynamicStitch")
      .in("indices: N * int32")
      .in("data: N * T")
      .out("merged: T")
      .attr("N: int >= 1")
      .attr("T: type")
      .doc("Slices of several tensors interleaved: slice indices[k][i] of the result is data[k][i].")
      .shape(stitch_shape)
      .cpu(stitch_kernel)
      .grad([](GradientContext& g) {
        const int n = static_cast<int>(g.node().inputs().size()) / 2;
        for (int i = 0; i < n; ++i) g.set(n + i, g.make("GatherV2", {g.gradient(), g.input(i), 0}));
      })
      .example({.inputs = {Tensor::vector<int32_t>({0, 3}), Tensor::vector<int32_t>({2, 1}), {2, 3}, {2, 3}}});

  r.op("ListDiff")
      .in("x: T")
      .in("y: T")
      .out("out: T")
      .out("idx: out_idx")
      .attr("T: type")
      .attr("out_idx: {int32, int64} = DT_INT32")
      .function("setdiff1d")
      .doc("The values of the list x that are not in the list y, in order, and their places in x.")
      .shape([](ShapeContext& c) {
        const auto x = c.constant_ints(0);
        const auto y = c.constant_ints(1);
        const int64_t n = x && y ? static_cast<int64_t>(difference(*x, *y).size()) : Shape::kUnknown;
        c.set_output(0, Shape{n});
        c.set_output(1, Shape{n});
      })
      .cpu(list_diff_kernel)
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({1, 2, 3, 4, 5}), Tensor::vector<int32_t>({1, 3, 5})}});
}

}  // namespace vf
