// ArgMax and ArgMin.
#include "cpu/reduce.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

int axis_of(int64_t dimension, int rank) { return static_cast<int>(dimension < 0 ? dimension + rank : dimension); }

void arg_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto dimension = c.constant_ints(1);
  if (!in.has_rank()) return c.set_output(0, Shape::unknown());
  if (!dimension) return c.set_output(0, Shape::of_rank(std::max(0, in.rank() - 1)));
  const int64_t d = (*dimension)[0];
  if (d < -in.rank() || d >= in.rank())
    c.fail("Dimension (" + std::to_string(d) + ") must be in the range [" + std::to_string(-in.rank()) + ", " +
           std::to_string(in.rank()) + "), where " + std::to_string(in.rank()) +
           " is the number of dimensions in the input.");
  Shape out;
  for (int i = 0; i < in.rank(); ++i)
    if (i != axis_of(d, in.rank())) out.add_dim(in[i]);
  c.set_output(0, out);
}

KernelFunction arg_kernel(bool greatest) {
  return [greatest](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(0);
    const DType index = m.output_dtype();
    if (index != DType::Int32 && index != DType::Int64) return nullptr;
    if (dtype != DType::Bool && !is_floating(dtype) && !is_integer(dtype)) return nullptr;
    const Tensor* dimension = m.constant(1);
    if (!dimension) return nullptr;
    const Shape& in = m.input_shape(0);
    const int axis = axis_of(static_cast<int64_t>(dimension->number(0)), in.rank());
    const int64_t count = in[axis];
    if (count == 0) m.fail("Reduction axis " + std::to_string(axis) + " is empty in shape " + in.str());
    int64_t outer = 1;
    int64_t inner = 1;
    for (int i = 0; i < in.rank(); ++i) {
      if (i < axis) outer *= in[i];
      if (i > axis) inner *= in[i];
    }
    const int threads = m.threads();
    return kernel([=](KernelRun& r) {
      const auto run = greatest ? cpu::arg_max : cpu::arg_min;
      run(dtype, r.input_raw(0), index, r.output_raw(), outer, count, inner, threads, cpu::active_isa());
    });
  };
}

}  // namespace

void register_arg_extreme_ops(OpRegistry& r) {
  const char* const types =
      "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
      "qint32, qint16, quint16, bool}";
  for (const bool greatest : {true, false}) {
    r.op(greatest ? "ArgMax" : "ArgMin")
        .in("input: T")
        .in("dimension: Tidx")
        .out("output: output_type")
        .attr(types)
        .attr(greatest ? "Tidx: {int16, int32, int64} = DT_INT32" : "Tidx: {int32, int64} = DT_INT32")
        .attr(greatest ? "output_type: {int16, uint16, int32, int64} = DT_INT64"
                       : "output_type: {int32, int64} = DT_INT64")
        .function(greatest ? "argmax" : "argmin")
        .doc(greatest ? "The place of the greatest value along a dimension, the first of equals."
                      : "The place of the least value along a dimension, the first of equals.")
        .shape(arg_shape)
        .cpu(arg_kernel(greatest))
        .no_grad()
        .example({.inputs = {{2, 3, 4}, Tensor(1)}})
        .example({.inputs = {{2, 3}, Tensor(-1)}, .attrs = {{"output_type", DType::Int32}}});
  }
}

}  // namespace vf
