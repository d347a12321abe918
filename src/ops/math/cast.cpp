// Conversion between element types.
#include <cstring>

#include "cpu/cast.h"
#include "graph/shape_rules.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

std::unique_ptr<Kernel> copy_kernel(KernelMake& m) {
  if (!is_plain(m.input_dtype(0))) return nullptr;
  const size_t bytes = static_cast<size_t>(m.input_shape(0).num_elements()) * dtype_size(m.input_dtype(0));
  m.allow_in_place(0);
  return kernel([=](KernelRun& r) {
    if (bytes > 0 && r.output_raw() != r.input_raw(0)) std::memcpy(r.output_raw(), r.input_raw(0), bytes);
  });
}

std::unique_ptr<Kernel> cast_kernel(KernelMake& m) {
  const DType from = m.input_dtype(0);
  const DType to = m.output_dtype();
  const int64_t n = m.output_shape().num_elements();
  const int threads = m.threads();
  if (from == to) return copy_kernel(m);
  if (!cpu::cast_loop(from, to)) return nullptr;
  return kernel([=](KernelRun& r) { cpu::cast(from, to, r.input_raw(0), r.output_raw(), n, threads); });
}

// A dimension appears or goes where the sizes differ.
void bitcast_shape(ShapeContext& c) {
  Shape s = c.input(0);
  const auto from = static_cast<int64_t>(dtype_size(c.node().input(0).dtype()));
  const auto to = static_cast<int64_t>(dtype_size(c.node().output_dtype(0)));
  if (!s.has_rank() || from == to) return c.set_output(0, s);
  if (from > to) {
    s.add_dim(from / to);
    return c.set_output(0, s);
  }
  if (s.rank() == 0 || (s.dim(-1) >= 0 && s.dim(-1) != to / from))
    c.fail("Cannot bitcast due to shape. " + std::to_string(s.rank() == 0 ? 1 : s.dim(-1)) + " does not match " +
           std::to_string(to / from));
  c.set_output(0, Shape(s.dims().first(static_cast<size_t>(s.rank() - 1))));
}

}  // namespace

void register_cast_ops(OpRegistry& r) {
  r.op("Cast")
      .in("x: SrcT")
      .out("y: DstT")
      .attr("SrcT: type")
      .attr("DstT: type")
      .attr("Truncate: bool = false")
      .doc("x in another dtype; floats are cut towards 0 where they become integers.")
      .shape(shape_rule::unchanged)
      .cpu(cast_kernel)
      .grad([](GradientContext& g) {
        const DType from = g.input(0).dtype();
        if (is_floating(from) && is_floating(g.output().dtype()))
          g.set(0, g.make("Cast", {g.gradient()}, {{"DstT", from}}));
      })
      .example({.inputs = {{2, 3}}, .attrs = {{"DstT", DType::Double}}})
      .example({.inputs = {{2, 3}}, .attrs = {{"DstT", DType::Int32}}, .low = -5, .high = 5, .gradient = false});

  const std::string types =
      "{bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, "
      "complex128, qint8, quint8, qint16, quint16, qint32}";
  r.op("Bitcast")
      .in("input: T")
      .out("output: type")
      .attr("T: " + types)
      .attr("type: " + types)
      .doc("The same bytes as another dtype; a last dimension appears or goes where the sizes differ.")
      .shape(bitcast_shape)
      .cpu(copy_kernel)
      .no_grad()
      .example({.inputs = {Tensor::vector<float>({1, -2})}, .attrs = {{"type", DType::Int32}}})
      .example({.inputs = {Tensor::vector<double>({1, -2})}, .attrs = {{"type", DType::Int32}}});
}

}  // namespace vf
