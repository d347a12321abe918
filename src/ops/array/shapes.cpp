// Ops about shapes: folded when a plan is made, or free.
#include <algorithm>

#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "tensor/elements.h"

namespace vf {
namespace {

// Writes integers as int32 or int64, as the op's output has it.
void put(KernelRun& r, DType dtype, int output, const std::vector<int64_t>& values) {
  if (dtype == DType::Int64)
    std::copy(values.begin(), values.end(), r.output<int64_t>(output));
  else
    std::copy(values.begin(), values.end(), r.output<int32_t>(output));
}

void reshape_gradient(GradientContext& g) {
  g.set(0, g.make("Reshape", {g.gradient(), g.make("Shape", {g.input(0)})}));
}

void reshape_shape(ShapeContext& c) {
  const auto sizes = c.constant_ints(1);
  if (!sizes) return c.set_output(0, shape_rule::shape_from_input(c, 1));
  Shape s = shape_rule::shape_from_input(c, 1);
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < s.rank(); ++i) {
    if (s[i] >= 0) {
      known *= s[i];
      continue;
    }
    if (unknown >= 0)
      c.fail("Only one input size may be -1, not both " + std::to_string(unknown) + " and " + std::to_string(i));
    unknown = i;
  }
  const int64_t n = c.input(0).num_elements();
  if (n >= 0 && unknown >= 0) {
    if (known == 0 || n % known != 0)
      c.fail("Input to reshape is a tensor with " + std::to_string(n) +
             " values, but the requested shape requires a multiple of " + std::to_string(known));
    s.set_dim(unknown, n / known);
  } else if (n >= 0 && known != n) {
    c.fail("Input to reshape is a tensor with " + std::to_string(n) + " values, but the requested shape has " +
           std::to_string(known));
  }
  c.set_output(0, s);
}

void expand_dims_shape(ShapeContext& c) {
  const auto axis = c.constant_ints(1);
  const Shape& in = c.input(0);
  if (!axis || !in.has_rank()) return c.set_output(0, in.has_rank() ? Shape::of_rank(in.rank() + 1) : Shape::unknown());
  if (axis->size() != 1) c.fail("'dim' input must be a tensor with a single value");
  int64_t at = (*axis)[0];
  if (at < -in.rank() - 1 || at > in.rank())
    c.fail("dim " + std::to_string(at) + " not in the interval [" + std::to_string(-in.rank() - 1) + ", " +
           std::to_string(in.rank()) + "].");
  if (at < 0) at += in.rank() + 1;
  Shape out;
  for (int i = 0; i <= in.rank(); ++i) {
    if (i == at) out.add_dim(1);
    if (i < in.rank()) out.add_dim(in[i]);
  }
  c.set_output(0, out);
}

void squeeze_shape(ShapeContext& c) {
  const auto& dims = c.attr<std::vector<int64_t>>("squeeze_dims");
  const Shape& in = c.input(0);
  if (!in.has_rank()) return c.set_output(0, Shape::unknown());
  std::vector<bool> drop(static_cast<size_t>(in.rank()), false);
  for (int64_t d : dims) {
    if (d < -in.rank() || d >= in.rank())
      c.fail("Tried to squeeze dim index " + std::to_string(d) + " for tensor with " + std::to_string(in.rank()) +
             " dimensions.");
    drop[static_cast<size_t>(d < 0 ? d + in.rank() : d)] = true;
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    const bool asked = drop[static_cast<size_t>(i)];
    if (asked && in[i] > 1)
      c.fail("Can not squeeze dim[" + std::to_string(i) + "], expected a dimension of 1, got " + std::to_string(in[i]));
    if (dims.empty() && in[i] < 0) return c.set_output(0, Shape::unknown());
    if (asked || (dims.empty() && in[i] == 1)) continue;
    out.add_dim(in[i]);
  }
  c.set_output(0, out);
}

// Which axes each operand of a broadcast was repeated along: the axes that its gradient is summed over.
std::pair<std::vector<int64_t>, std::vector<int64_t>> repeated_axes(const std::vector<int64_t>& a,
                                                                    const std::vector<int64_t>& b) {
  std::vector<int64_t> ra;
  std::vector<int64_t> rb;
  const auto rank = static_cast<int64_t>(std::max(a.size(), b.size()));
  const auto size = [&](const std::vector<int64_t>& s, int64_t i) {
    const int64_t at = i - (rank - static_cast<int64_t>(s.size()));
    return at < 0 ? int64_t{1} : s[static_cast<size_t>(at)];
  };
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t x = size(a, i);
    const int64_t y = size(b, i);
    if (x == y && x != 1) continue;
    if (x == 1) ra.push_back(i);
    if (y == 1) rb.push_back(i);
  }
  return {ra, rb};
}

}  // namespace

void register_shape_ops(OpRegistry& r) {
  r.op("Shape")
      .in("input: T")
      .out("output: out_type")
      .attr("T: type")
      .attr("out_type: {int32, int64} = DT_INT32")
      .shape_only()
      .doc("The input's shape as a vector.")
      .shape([](ShapeContext& c) {
        const Shape& s = c.input(0);
        c.set_output(0, s.has_rank() ? Shape{s.rank()} : Shape{Shape::kUnknown});
      })
      .cpu([](KernelMake& m) {
        const std::vector<int64_t> sizes(m.input_shape(0).dims().begin(), m.input_shape(0).dims().end());
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) { put(run, dtype, 0, sizes); });
      })
      .no_grad()
      .example({.inputs = {{2, 3}}});

  r.op("ShapeN")
      .in("input: N * T")
      .out("output: N * out_type")
      .attr("N: int >= 1")
      .attr("T: type")
      .attr("out_type: {int32, int64} = DT_INT32")
      .shape_only()
      .doc("Each input's shape as a vector.")
      .shape([](ShapeContext& c) {
        for (int i = 0; i < c.num_inputs(); ++i) {
          const Shape& s = c.input(i);
          c.set_output(i, s.has_rank() ? Shape{s.rank()} : Shape{Shape::kUnknown});
        }
      })
      .cpu([](KernelMake& m) {
        std::vector<std::vector<int64_t>> sizes;
        for (int i = 0; i < m.num_inputs(); ++i) {
          const auto dims = m.input_shape(i).dims();
          sizes.emplace_back(dims.begin(), dims.end());
        }
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) {
          for (size_t i = 0; i < sizes.size(); ++i) put(run, dtype, static_cast<int>(i), sizes[i]);
        });
      })
      .no_grad()
      .example({.inputs = {{2, 3}, {4}}});

  r.op("Size")
      .in("input: T")
      .out("output: out_type")
      .attr("T: type")
      .attr("out_type: {int32, int64} = DT_INT32")
      .shape_only()
      .doc("The number of the input's elements.")
      .shape(shape_rule::scalar)
      .cpu([](KernelMake& m) {
        const int64_t n = m.input_shape(0).num_elements();
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) { put(run, dtype, 0, {n}); });
      })
      .no_grad()
      .example({.inputs = {{2, 3}}});

  r.op("Rank")
      .in("input: T")
      .out("output: int32")
      .attr("T: type")
      .shape_only()
      .doc("The number of the input's dimensions.")
      .shape(shape_rule::scalar)
      .cpu([](KernelMake& m) {
        const int rank = m.input_shape(0).rank();
        return kernel([=](KernelRun& run) { *run.output<int32_t>() = rank; });
      })
      .no_grad()
      .example({.inputs = {{2, 3}}});

  r.op("Reshape")
      .in("tensor: T")
      .in("shape: Tshape")
      .out("output: T")
      .attr("T: type")
      .attr("Tshape: {int32, int64} = DT_INT32")
      .alias()
      .doc("The same elements under another shape; one size may be -1.")
      .shape(reshape_shape)
      .grad(reshape_gradient)
      .example({.inputs = {{2, 6}, Tensor::vector<int32_t>({3, -1})}});

  r.op("ExpandDims")
      .in("input: T")
      .in("dim: Tdim")
      .out("output: T")
      .attr("T: type")
      .attr("Tdim: {int32, int64} = DT_INT32")
      .alias()
      .doc("Inserts a dimension of size 1 before `dim`; negative counts from the end.")
      .shape(expand_dims_shape)
      .grad(reshape_gradient)
      .example({.inputs = {{2, 3}, Tensor(-1)}});

  r.op("Squeeze")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .attr("squeeze_dims: list(int) >= 0 = []")
      .alias()
      .doc("Drops dimensions of size 1: all, or those named.")
      .shape(squeeze_shape)
      .grad(reshape_gradient)
      .example({.inputs = {{1, 3, 1}}})
      .example({.inputs = {{1, 3, 1}}, .attrs = {{"squeeze_dims", std::vector<int64_t>{-1}}}});

  r.op("BroadcastGradientArgs")
      .in("s0: T")
      .in("s1: T")
      .out("r0: T")
      .out("r1: T")
      .attr("T: {int32, int64} = DT_INT32")
      .doc("For two shapes that broadcast: the axes to sum each operand's gradient over.")
      .shape([](ShapeContext& c) {
        const auto a = c.constant_ints(0);
        const auto b = c.constant_ints(1);
        if (!a || !b) {
          c.set_output(0, Shape{Shape::kUnknown});
          c.set_output(1, Shape{Shape::kUnknown});
          return;
        }
        const auto [ra, rb] = repeated_axes(*a, *b);
        c.set_output(0, Shape{static_cast<int64_t>(ra.size())});
        c.set_output(1, Shape{static_cast<int64_t>(rb.size())});
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const Tensor* a = m.constant(0);
        const Tensor* b = m.constant(1);
        if (!a || !b) return nullptr;
        const auto axes = repeated_axes(integers(*a), integers(*b));
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) {
          put(run, dtype, 0, axes.first);
          put(run, dtype, 1, axes.second);
        });
      })
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({2, 1, 3}), Tensor::vector<int32_t>({4, 3})}});
}

}  // namespace vf
