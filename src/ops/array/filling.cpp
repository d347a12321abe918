// Tensors of one value, and ranges.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "tensor/visit.h"

namespace vf {
namespace {

KernelFunction like_kernel(int value) {
  return [value](KernelMake& m) -> std::unique_ptr<Kernel> {
    const int64_t n = m.output_shape().num_elements();
    const DType dtype = m.output_dtype();
    if (!is_plain(dtype) || is_complex(dtype)) return nullptr;
    if (value == 0) {
      const size_t bytes = static_cast<size_t>(n) * dtype_size(dtype);
      return kernel([=](KernelRun& run) { std::memset(run.output_raw(), 0, bytes); });
    }
    return visit_number(dtype, [&]<class T>() {
      return kernel([=](KernelRun& run) { std::fill_n(run.output<T>(), n, convert<T>(value)); });
    });
  };
}

template <class T>
int64_t range_size(T start, T limit, T delta) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<int64_t>(std::max(0.0, std::ceil(std::abs((double(limit) - double(start)) / double(delta)))));
  else
    return delta > 0 ? (limit > start ? (int64_t(limit) - start + delta - 1) / delta : 0)
                     : (start > limit ? (int64_t(start) - limit - delta - 1) / -int64_t(delta) : 0);
}

void range_shape(ShapeContext& c) {
  const Tensor* start = c.constant(0);
  const Tensor* limit = c.constant(1);
  const Tensor* delta = c.constant(2);
  if (!start || !limit || !delta) return c.set_output(0, Shape{Shape::kUnknown});
  if (delta->number(0) == 0) c.fail("Requires delta != 0");
  if (delta->number(0) > 0 ? start->number(0) > limit->number(0) : start->number(0) < limit->number(0))
    c.fail(delta->number(0) > 0 ? "Requires start <= limit when delta > 0" : "Requires start >= limit when delta < 0");
  visit_number(start->dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int32_t> ||
                  std::is_same_v<T, int64_t>)
      c.set_output(0, Shape{range_size(start->item<T>(), limit->item<T>(), delta->item<T>())});
  });
}

}  // namespace

void register_filling_ops(OpRegistry& r) {
  r.op("Fill")
      .in("dims: index_type")
      .in("value: T")
      .out("output: T")
      .attr("T: type")
      .attr("index_type: {int32, int64} = DT_INT32")
      .doc("A tensor of shape `dims` whose elements are all `value`.")
      .shape([](ShapeContext& c) {
        const Shape s = shape_rule::shape_from_input(c, 0);
        if (c.constant_ints(0) && !s.fully_defined()) c.fail("Dimension -1 must be >= 0");
        c.set_output(0, s);
      })
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const int64_t n = m.output_shape().num_elements();
        if (!is_plain(m.output_dtype()) || is_complex(m.output_dtype())) return nullptr;
        return visit_number(m.output_dtype(), [&]<class T>() {
          return kernel([=](KernelRun& run) { std::fill_n(run.output<T>(), n, *run.input<T>(1)); });
        });
      })
      .grad([](GradientContext& g) {
        const Output rank = g.make("Rank", {g.gradient()});
        g.set(1, g.make("Sum", {g.gradient(), g.make("Range", {0, rank, 1})}));
      })
      .example({.inputs = {Tensor::vector<int32_t>({2, 3}), {}}});

  r.op("ZerosLike")
      .in("x: T")
      .out("y: T")
      .attr("T: type")
      .shape_only()
      .doc("Zeros in the shape of x.")
      .shape(shape_rule::unchanged)
      .cpu(like_kernel(0))
      .no_grad()
      .example({.inputs = {{2, 3}}});

  r.op("OnesLike")
      .in("x: T")
      .out("y: T")
      .attr(
          "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64, complex64, "
          "complex128, bool}")
      .shape_only()
      .doc("Ones in the shape of x.")
      .shape(shape_rule::unchanged)
      .cpu(like_kernel(1))
      .no_grad()
      .example({.inputs = {{2, 3}}});

  r.op("Range")
      .in("start: Tidx")
      .in("limit: Tidx")
      .in("delta: Tidx")
      .out("output: Tidx")
      .attr("Tidx: {bfloat16, half, float, double, int8, int16, int32, int64, uint16, uint32, uint64} = DT_INT32")
      .doc("start, start + delta, ... up to but without limit.")
      .shape(range_shape)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const int64_t n = m.output_shape().num_elements();
        return visit_number(m.output_dtype(), [&]<class T>() -> std::unique_ptr<Kernel> {
          if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int32_t> ||
                        std::is_same_v<T, int64_t>)
            return kernel([=](KernelRun& run) {
              T value = *run.input<T>(0);
              for (int64_t i = 0; i < n; ++i, value += *run.input<T>(2)) run.output<T>()[i] = value;
            });
          return nullptr;
        });
      })
      .no_grad()
      .example({.inputs = {Tensor(1), Tensor(10), Tensor(3)}});
}

}  // namespace vf
