// Dimensions in another order, and elements in reverse.
#include <algorithm>
#include <vector>

#include "cpu/strided_copy.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"

namespace vf {
namespace {

void transpose_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto order = c.constant_ints(1);
  const Shape& entries = c.input(1);
  if (!order) {
    const bool known = entries.has_rank() && entries.rank() == 1 && entries[0] >= 0;
    return c.set_output(0, in.has_rank() ? Shape::of_rank(in.rank())
                           : known       ? Shape::of_rank(static_cast<int>(entries[0]))
                                         : Shape::unknown());
  }
  const int rank = static_cast<int>(order->size());
  if (in.has_rank() && in.rank() != rank)
    c.fail("transpose expects a vector of size " + std::to_string(in.rank()) + ". But input(1) is a vector of size " +
           std::to_string(rank));
  Shape out = Shape::of_rank(rank);
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  for (int i = 0; i < rank; ++i) {
    int64_t d = (*order)[static_cast<size_t>(i)];
    if (d < -rank || d >= rank)
      c.fail("perm dim " + std::to_string(d) + " is out of range of input rank " + std::to_string(rank));
    if (d < 0) d += rank;
    if (seen[static_cast<size_t>(d)]) c.fail(std::to_string(d) + " is in {perm} more than once");
    seen[static_cast<size_t>(d)] = true;
    if (in.has_rank()) out.set_dim(i, in[static_cast<int>(d)]);
  }
  c.set_output(0, out);
}

std::unique_ptr<Kernel> transpose_kernel(KernelMake& m) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const Tensor* perm = m.constant(1);
  if (!perm) return nullptr;
  std::vector<int64_t> order = integers(*perm);
  for (int64_t& d : order)
    if (d < 0) d += static_cast<int64_t>(order.size());
  const cpu::StridedCopy copy = cpu::transpose_plan(dtype_size(m.output_dtype()), m.input_shape(0), order);
  const int threads = m.threads();
  return kernel([=](KernelRun& r) { copy.run(r.input_raw(0), r.output_raw(), threads); });
}

std::unique_ptr<Kernel> reverse_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  const Tensor* axes = m.constant(1);
  if (!axes) return nullptr;
  const Shape& in = m.input_shape(0);
  std::vector<bool> reversed(static_cast<size_t>(in.rank()), false);
  for (int64_t a : integers(*axes)) {
    if (a < -in.rank() || a >= in.rank())
      m.fail("'axis'[0] = " + std::to_string(a) + " is out of valid range [0, " + std::to_string(in.rank() - 1));
    const auto at = static_cast<size_t>(a < 0 ? a + in.rank() : a);
    if (reversed[at]) m.fail("axis " + std::to_string(at) + " specified more than once.");
    reversed[at] = true;
  }
  std::vector<cpu::StridedCopy::Dim> dims(static_cast<size_t>(in.rank()));
  int64_t stride = 1;
  int64_t start = 0;
  for (int i = in.rank() - 1; i >= 0; --i) {
    const auto k = static_cast<size_t>(i);
    dims[k] = {in[i], reversed[k] ? -stride : stride, stride};
    if (reversed[k] && in[i] > 0) start += (in[i] - 1) * stride;
    stride *= in[i];
  }
  const cpu::StridedCopy copy(dtype_size(dtype), dims, start, 0);
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    if (dtype == DType::String)
      copy.run_objects(r.input<std::string>(0), r.output<std::string>());
    else
      copy.run(r.input_raw(0), r.output_raw(), threads);
  });
}

}  // namespace

void register_permuting_ops(OpRegistry& r) {
  r.op("Transpose")
      .in("x: T")
      .in("perm: Tperm")
      .out("y: T")
      .attr("T: type")
      .attr("Tperm: {int32, int64} = DT_INT32")
      .doc("Dimension i of the result is dimension perm[i] of x.")
      .shape(transpose_shape)
      .cpu(transpose_kernel)
      .grad([](GradientContext& g) {
        g.set(0, g.make("Transpose", {g.gradient(), g.make("InvertPermutation", {g.input(1)})}));
      })
      .example({.inputs = {{2, 3, 4}, Tensor::vector<int32_t>({2, 0, 1})}})
      .example({.inputs = {{2, 3}, Tensor::vector<int32_t>({1, 0})}});

  r.op("InvertPermutation")
      .in("x: T")
      .out("y: T")
      .attr("T: {int32, int64} = DT_INT32")
      .doc("y[x[i]] = i")
      .shape([](ShapeContext& c) {
        c.expect_rank(0, 1);
        c.set_output(0, c.input(0));
      })
      .cpu([](KernelMake& m) {
        const int64_t n = m.output_shape().num_elements();
        const DType dtype = m.output_dtype();
        return kernel([=](KernelRun& run) {
          for (int64_t i = 0; i < n; ++i) {
            const int64_t at = integer_at(dtype, run.input_raw(0), i);
            if (at < 0 || at >= n)
              throw Error(Code::InvalidArgument, std::to_string(at) + " is not between 0 and " + std::to_string(n));
            for (int64_t k = 0; k < i && n <= 64; ++k)
              if (integer_at(dtype, run.input_raw(0), k) == at)
                throw Error(Code::InvalidArgument, std::to_string(at) + " is duplicated in the input.");
            if (dtype == DType::Int64)
              run.output<int64_t>()[at] = i;
            else
              run.output<int32_t>()[at] = static_cast<int32_t>(i);
          }
        });
      })
      .no_grad()
      .example({.inputs = {Tensor::vector<int32_t>({2, 0, 3, 1})}});

  r.op("ReverseV2")
      .in("tensor: T")
      .in("axis: Tidx")
      .out("output: T")
      .attr("Tidx: {int32, int64} = DT_INT32")
      .attr(
          "T: {uint8, int8, uint16, int16, int32, uint32, int64, uint64, bool, bfloat16, half, float, double, "
          "complex64, complex128, string}")
      .function("reverse")
      .doc("The elements in reverse order along the given axes.")
      .shape(shape_rule::unchanged)
      .cpu(reverse_kernel)
      .grad([](GradientContext& g) {
        g.set(0, g.make("ReverseV2", {g.gradient(), g.input(1)}));
      })
      .example({.inputs = {{2, 3, 4}, Tensor::vector<int32_t>({0, -1})}});
}

}  // namespace vf
