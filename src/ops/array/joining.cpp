// Tensors put together and taken apart along an axis.
#include <algorithm>
#include <new>

#include "cpu/layout.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"
#include "ops/gradient.h"

namespace vf {
namespace {

// y = [outer, sum of inner[i]] from inputs [outer, inner[i]], first_input the first of them.
std::unique_ptr<Kernel> join(KernelMake& m, int first_input, int64_t outer, std::vector<int64_t> inner) {
  const DType dtype = m.output_dtype();
  const int threads = m.threads();
  if (!is_plain(dtype)) {
    return kernel([=](KernelRun& r) {
      auto* y = r.output<char>();
      const size_t size = dtype_size(dtype);
      for (int64_t o = 0; o < outer; ++o)
        for (size_t i = 0; i < inner.size(); ++i) {
          const char* x = r.input<char>(first_input + static_cast<int>(i)) + static_cast<size_t>(o * inner[i]) * size;
          copy_elements(dtype, x, y, inner[i]);
          y += static_cast<size_t>(inner[i]) * size;
        }
    });
  }
  m.set_scratch(inner.size() * sizeof(cpu::ConcatPart));
  return kernel([=](KernelRun& r) {
    auto* parts = static_cast<cpu::ConcatPart*>(r.scratch());
    for (size_t i = 0; i < inner.size(); ++i)
      new (parts + i) cpu::ConcatPart{r.input_raw(first_input + static_cast<int>(i)), inner[i]};
    cpu::concat(dtype_size(dtype), outer, {parts, inner.size()}, r.output_raw(), threads);
  });
}

// The other way round: outputs [outer, inner[i]] from input `input`.
std::unique_ptr<Kernel> take_apart(KernelMake& m, int input, int64_t outer, std::vector<int64_t> inner) {
  const DType dtype = m.output_dtype();
  const int threads = m.threads();
  if (!is_plain(dtype)) {
    return kernel([=](KernelRun& r) {
      const auto* x = r.input<char>(input);
      const size_t size = dtype_size(dtype);
      for (int64_t o = 0; o < outer; ++o)
        for (size_t i = 0; i < inner.size(); ++i) {
          char* y = r.output<char>(static_cast<int>(i)) + static_cast<size_t>(o * inner[i]) * size;
          copy_elements(dtype, x, y, inner[i]);
          x += static_cast<size_t>(inner[i]) * size;
        }
    });
  }
  m.set_scratch(inner.size() * sizeof(cpu::SplitPart));
  return kernel([=](KernelRun& r) {
    auto* parts = static_cast<cpu::SplitPart*>(r.scratch());
    for (size_t i = 0; i < inner.size(); ++i)
      new (parts + i) cpu::SplitPart{r.output_raw(static_cast<int>(i)), inner[i]};
    cpu::split(dtype_size(dtype), outer, r.input_raw(input), {parts, inner.size()}, threads);
  });
}

// An axis in [-rank, rank) as one in [0, rank).
int checked_axis(ShapeContext& c, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    c.fail("axis = " + std::to_string(axis) + " not in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Shape with_dim(const Shape& s, int axis, int64_t size) {
  Shape out;
  for (int i = 0; i <= s.rank(); ++i) {
    if (i == axis) out.add_dim(size);
    if (i < s.rank()) out.add_dim(s[i]);
  }
  return out;
}

void pack_shape(ShapeContext& c) {
  Shape s = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) {
    if (!s.compatible(c.input(i))) c.fail("Shapes of all inputs must match");
    s = s.merged(c.input(i));
  }
  if (!s.has_rank()) return c.set_output(0, s);
  const int axis = checked_axis(c, c.attr<int64_t>("axis"), s.rank() + 1);
  c.set_output(0, with_dim(s, axis, c.num_inputs()));
}

void unpack_shape(ShapeContext& c) {
  const Shape& s = c.input(0);
  Shape out = Shape::unknown();
  if (s.has_rank()) {
    const int axis = checked_axis(c, c.attr<int64_t>("axis"), s.rank());
    const int64_t num = c.attr<int64_t>("num");
    if (s[axis] >= 0 && s[axis] != num)
      c.fail("Dimension must be " + std::to_string(num) + " but is " + std::to_string(s[axis]));
    out = Shape{};
    for (int i = 0; i < s.rank(); ++i)
      if (i != axis) out.add_dim(s[i]);
  }
  for (int i = 0; i < c.node().num_outputs(); ++i) c.set_output(i, out);
}

// Inputs `first`, ... joined along the axis that input `axis_input` holds.
void concat_shape(ShapeContext& c, int first, int count, int axis_input) {
  const auto axis = c.constant_ints(axis_input);
  Shape out = Shape::unknown();
  for (int i = first; i < first + count; ++i) {
    if (!c.input(i).has_rank()) continue;
    if (out.has_rank() && out.rank() != c.input(i).rank())
      c.fail("Shapes must be equal rank, but are " + std::to_string(out.rank()) + " and " +
             std::to_string(c.input(i).rank()));
    out = Shape::of_rank(c.input(i).rank());
  }
  if (!axis || !out.has_rank()) return c.set_output(0, out);
  const int at = checked_axis(c, (*axis)[0], out.rank());
  int64_t total = 0;
  for (int i = first; i < first + count; ++i) {
    const Shape& s = c.input(i);
    const int64_t size = s.has_rank() ? s[at] : Shape::kUnknown;
    total = total < 0 || size < 0 ? Shape::kUnknown : total + size;
    if (!s.has_rank()) continue;
    Shape others = s;
    others.set_dim(at, Shape::kUnknown);
    if (!out.compatible(others)) {
      for (int d = 0; d < s.rank(); ++d)
        if (d != at && out[d] >= 0 && s[d] >= 0 && out[d] != s[d])
          c.fail("Dimension " + std::to_string(d) + " in both shapes must be equal, but are " + std::to_string(out[d]) +
                 " and " + std::to_string(s[d]));
    }
    out = out.merged(others);
  }
  out.set_dim(at, total);
  c.set_output(0, out);
}

std::unique_ptr<Kernel> concat_kernel(KernelMake& m, int first, int count, int axis_input) {
  const Tensor* at = m.constant(axis_input);
  if (!at) return nullptr;
  const int rank = m.output_shape().rank();
  auto axis = static_cast<int>(at->number(0));
  if (axis < 0) axis += rank;
  std::vector<int64_t> inner;
  for (int i = first; i < first + count; ++i) inner.push_back(size_between(m.input_shape(i), axis, rank));
  return join(m, first, size_between(m.output_shape(), 0, axis), std::move(inner));
}

// Each input's gradient is the part of dy that it became.
void concat_gradient(GradientContext& g, int first, int count, int axis_input) {
  const GradientBuilder b(g);
  const Output axis = b.cast(g.input(axis_input), DType::Int32);
  std::vector<Operand> operands{g.make("FloorMod", {axis, g.make("Rank", {g.input(first)})})};
  for (int i = first; i < first + count; ++i) operands.push_back(b.shape(g.input(i)));
  Node* offsets = g.make("ConcatOffset", operands).node;
  for (int i = 0; i < count; ++i)
    g.set(first + i, g.make("Slice", {g.gradient(), Output(offsets, i), operands[static_cast<size_t>(i + 1)]}));
}

}  // namespace

void register_joining_ops(OpRegistry& r) {
  r.op("Pack")
      .in("values: N * T")
      .out("output: T")
      .attr("N: int >= 1")
      .attr("T: type")
      .attr("axis: int = 0")
      .function("stack")
      .doc("Tensors of one shape as slices of one of a rank more; the new dimension stands at `axis`.")
      .shape(pack_shape)
      .cpu([](KernelMake& m) {
        const Shape& s = m.output_shape();
        auto axis = static_cast<int>(m.attr<int64_t>("axis"));
        if (axis < 0) axis += s.rank();
        const int64_t inner = size_between(s, axis + 1, s.rank());
        return join(m, 0, size_between(s, 0, axis), std::vector<int64_t>(static_cast<size_t>(m.num_inputs()), inner));
      })
      .grad([](GradientContext& g) {
        const auto n = static_cast<int64_t>(g.node().inputs().size());
        Node* parts = g.make("Unpack", {g.gradient()}, {{"num", n}, {"axis", g.node().attr<int64_t>("axis")}}).node;
        for (int i = 0; i < n; ++i) g.set(i, Output(parts, i));
      })
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {2, 3}, {2, 3}}, .attrs = {{"axis", -1}}});

  r.op("Unpack")
      .in("value: T")
      .out("output: num * T")
      .attr("num: int >= 0")
      .attr("T: type")
      .attr("axis: int = 0")
      .function("unstack")
      .doc("The slices of a tensor along `axis`, each of a rank less.")
      .shape(unpack_shape)
      .cpu([](KernelMake& m) {
        const Shape& s = m.input_shape(0);
        auto axis = static_cast<int>(m.attr<int64_t>("axis"));
        if (axis < 0) axis += s.rank();
        const int64_t inner = size_between(s, axis + 1, s.rank());
        return take_apart(m, 0, size_between(s, 0, axis), std::vector<int64_t>(static_cast<size_t>(s[axis]), inner));
      })
      .grad([](GradientContext& g) {
        std::vector<Operand> parts;
        for (int i = 0; i < g.node().num_outputs(); ++i) parts.emplace_back(g.gradient(i));
        g.set(0, g.make("Pack", parts, {{"axis", g.node().attr<int64_t>("axis")}}));
      })
      .example({.inputs = {{2, 3}}, .attrs = {{"num", 2}}})
      .example({.inputs = {{2, 3}}, .attrs = {{"num", 3}, {"axis", 1}}});

  r.op("ConcatV2")
      .in("values: N * T")
      .in("axis: Tidx")
      .out("output: T")
      .attr("N: int >= 2")
      .attr("T: type")
      .attr("Tidx: {int32, int64} = DT_INT32")
      .function("concat")
      .doc("Tensors joined along an axis.")
      .shape([](ShapeContext& c) { concat_shape(c, 0, c.num_inputs() - 1, c.num_inputs() - 1); })
      .cpu([](KernelMake& m) { return concat_kernel(m, 0, m.num_inputs() - 1, m.num_inputs() - 1); })
      .grad([](GradientContext& g) {
        const int n = static_cast<int>(g.node().inputs().size()) - 1;
        concat_gradient(g, 0, n, n);
      })
      .example({.inputs = {{2, 3}, {2, 3}, Tensor(0)}})
      .example({.inputs = {{2, 3}, {2, 1}, {2, 4}, Tensor(-1)}});

  r.op("Concat")
      .in("concat_dim: int32")
      .in("values: N * T")
      .out("output: T")
      .attr("N: int >= 2")
      .attr("T: type")
      .function("concat_v1")
      .doc("Tensors joined along an axis.")
      .shape([](ShapeContext& c) { concat_shape(c, 1, c.num_inputs() - 1, 0); })
      .cpu([](KernelMake& m) { return concat_kernel(m, 1, m.num_inputs() - 1, 0); })
      .grad([](GradientContext& g) { concat_gradient(g, 1, static_cast<int>(g.node().inputs().size()) - 1, 0); })
      .example({.inputs = {Tensor(1), {2, 3}, {2, 4}}});

  r.op("ConcatOffset")
      .in("concat_dim: int32")
      .in("shape: N * shape_type")
      .out("offset: N * shape_type")
      .attr("N: int >= 2")
      .attr("shape_type: {int32, int64} = DT_INT32")
      .doc("Where each of some tensors starts in what they are joined to, from their shapes.")
      .shape([](ShapeContext& c) {
        for (int i = 1; i < c.num_inputs(); ++i) c.set_output(i - 1, c.input(i));
      })
      .cpu([](KernelMake& m) {
        const int n = m.num_inputs() - 1;
        const int64_t rank = m.output_shape().num_elements();
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) {
          int64_t axis = *run.input<int32_t>(0);
          if (axis < -rank || axis >= rank)
            throw Error(Code::InvalidArgument,
                        "Concat dim is out of range: " + std::to_string(axis) + " vs. " + std::to_string(rank));
          if (axis < 0) axis += rank;
          int64_t offset = 0;
          for (int i = 0; i < n; ++i) {
            for (int64_t d = 0; d < rank; ++d) {
              const int64_t value = d == axis ? offset : 0;
              if (dtype == DType::Int64)
                run.output<int64_t>(i)[d] = value;
              else
                run.output<int32_t>(i)[d] = static_cast<int32_t>(value);
            }
            offset += integer_at(dtype, run.input_raw(i + 1), axis);
          }
        });
      })
      .no_grad()
      .example({.inputs = {Tensor(1), Tensor::vector<int32_t>({2, 3}), Tensor::vector<int32_t>({2, 5}),
                           Tensor::vector<int32_t>({2, 1})}});
}

void register_splitting_ops(OpRegistry& r) {
  r.op("Split")
      .in("split_dim: int32")
      .in("value: T")
      .out("output: num_split * T")
      .attr("num_split: int >= 1")
      .attr("T: type")
      .function("split")
      .doc("The tensor cut along an axis into parts of one size.")
      .shape([](ShapeContext& c) {
        const auto axis = c.constant_ints(0);
        Shape s = c.input(1);
        const int64_t n = c.attr<int64_t>("num_split");
        if (!axis || !s.has_rank()) {
          if (s.has_rank()) s = Shape::of_rank(s.rank());
        } else {
          const int at = checked_axis(c, (*axis)[0], s.rank());
          if (s[at] >= 0 && s[at] % n != 0)
            c.fail("Dimension size must be evenly divisible by " + std::to_string(n) + " but is " +
                   std::to_string(s[at]));
          if (s[at] >= 0) s.set_dim(at, s[at] / n);
        }
        for (int i = 0; i < n; ++i) c.set_output(i, s);
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const Tensor* at = m.constant(0);
        if (!at) return nullptr;
        const Shape& s = m.input_shape(1);
        auto axis = static_cast<int>(at->number(0));
        if (axis < 0) axis += s.rank();
        const auto n = static_cast<size_t>(m.num_outputs());
        const int64_t inner = size_between(m.output_shape(), axis, s.rank());
        return take_apart(m, 1, size_between(s, 0, axis), std::vector<int64_t>(n, inner));
      })
      .grad([](GradientContext& g) {
        std::vector<Operand> parts;
        for (int i = 0; i < g.node().num_outputs(); ++i) parts.emplace_back(g.gradient(i));
        if (parts.size() == 1) return g.set(1, g.gradient());
        parts.emplace_back(g.input(0));
        g.set(1, g.make("ConcatV2", parts));
      })
      .example({.inputs = {Tensor(1), {2, 6}}, .attrs = {{"num_split", 3}}})
      .example({.inputs = {Tensor(0), {2, 6}}, .attrs = {{"num_split", 1}}});

  r.op("SplitV")
      .in("value: T")
      .in("size_splits: Tlen")
      .in("split_dim: int32")
      .out("output: num_split * T")
      .attr("num_split: int >= 1")
      .attr("T: type")
      .attr("Tlen: {int8, int32, int64} = DT_INT64")
      .doc("The tensor cut along an axis into parts of the given sizes; one may be -1, what the others leave.")
      .shape([](ShapeContext& c) {
        const auto axis = c.constant_ints(2);
        auto sizes = c.constant_ints(1);
        const Shape& s = c.input(0);
        const int64_t n = c.attr<int64_t>("num_split");
        if (sizes && static_cast<int64_t>(sizes->size()) != n)
          c.fail("Length of size_splits should be equal to num_outputs");
        for (int i = 0; i < n; ++i) {
          if (!s.has_rank() || !axis) {
            c.set_output(i, s.has_rank() ? Shape::of_rank(s.rank()) : s);
            continue;
          }
          const int at = checked_axis(c, (*axis)[0], s.rank());
          Shape part = s;
          part.set_dim(at, Shape::kUnknown);
          if (sizes) {
            int64_t rest = s[at];
            int64_t open = 0;
            for (int64_t size : *sizes) size < 0 ? ++open : rest -= size;
            if (open > 1) c.fail("There can only be one -1 in the input.");
            if (s[at] >= 0 && (rest < 0 || (open == 0 && rest != 0)))
              c.fail(
                  "Determined shape must either match input shape along split_dim exactly if fully specified, or be "
                  "less than the size of the input along split_dim if not fully specified.");
            const int64_t size = (*sizes)[static_cast<size_t>(i)];
            if (size >= 0)
              part.set_dim(at, size);
            else if (s[at] >= 0)
              part.set_dim(at, rest);
          }
          c.set_output(i, part);
        }
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const Tensor* at = m.constant(2);
        if (!at) return nullptr;
        const Shape& s = m.input_shape(0);
        auto axis = static_cast<int>(at->number(0));
        if (axis < 0) axis += s.rank();
        std::vector<int64_t> inner;
        for (int i = 0; i < m.num_outputs(); ++i) inner.push_back(size_between(m.output_shape(i), axis, s.rank()));
        return take_apart(m, 0, size_between(s, 0, axis), std::move(inner));
      })
      .grad([](GradientContext& g) {
        std::vector<Operand> parts;
        for (int i = 0; i < g.node().num_outputs(); ++i) parts.emplace_back(g.gradient(i));
        if (parts.size() == 1) return g.set(0, g.gradient());
        parts.emplace_back(g.input(2));
        g.set(0, g.make("ConcatV2", parts));
      })
      .example({.inputs = {{2, 6}, Tensor::vector<int32_t>({1, -1, 2}), Tensor(1)}, .attrs = {{"num_split", 3}}});
}

}  // namespace vf
