// Comparisons, logic and tests of floats; results are bool.
#include <cmath>

#include "cpu/broadcast.h"
#include "graph/shape_rules.h"
#include "ops/math/math_ops.h"
#include "tensor/visit.h"

namespace vf {
namespace {

using cpu::BinaryOp;

bool broadcasts(const Shape& a, const Shape& b) {
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i)
    if (a.dim(-i) != b.dim(-i) && a.dim(-i) != 1 && b.dim(-i) != 1) return false;
  return true;
}

// Without incompatible_shape_error, tensors whose shapes do not broadcast are unequal as a whole.
void equality_shape(ShapeContext& c) {
  const Shape& x = c.input(0);
  const Shape& y = c.input(1);
  if (c.attr<bool>("incompatible_shape_error")) return shape_rule::broadcast(c);
  if (!x.fully_defined() || !y.fully_defined()) return c.set_output(0, Shape::unknown());
  if (!broadcasts(x, y)) return c.set_output(0, Shape{});
  shape_rule::broadcast(c);
}

OpBuilder equality(OpRegistry& r, const std::string& name, BinaryOp op) {
  return r.op(name)
      .in("x: T")
      .in("y: T")
      .out("z: bool")
      .attr("T: type")
      .attr("incompatible_shape_error: bool = true")
      .commutative()
      .shape(equality_shape)
      .cpu([op](KernelMake& m) -> std::unique_ptr<Kernel> {
        if (broadcasts(m.input_shape(0), m.input_shape(1))) return binary_kernel(op)(m);
        const bool unequal = op == BinaryOp::NotEqual;
        return kernel([=](KernelRun& run) { *run.output<bool>() = unequal; });
      })
      .no_grad()
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {Tensor::vector<int32_t>({1, 2, 3}), Tensor::vector<int32_t>({1, 0, 3})}})
      .example({.inputs = {{2, 3}, {4}}, .attrs = {{"incompatible_shape_error", false}}});
}

OpBuilder order(OpRegistry& r, const std::string& name, BinaryOp op) {
  return r.op(name)
      .in("x: T")
      .in("y: T")
      .out("z: bool")
      .attr("T: realnumbertype")
      .shape(shape_rule::broadcast)
      .cpu(binary_kernel(op))
      .no_grad()
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}})
      .example({.inputs = {Tensor::vector<int32_t>({1, 2, 3}), Tensor(2)}});
}

OpBuilder logic(OpRegistry& r, const std::string& name, BinaryOp op) {
  return r.op(name)
      .in("x: bool")
      .in("y: bool")
      .out("z: bool")
      .commutative()
      .shape(shape_rule::broadcast)
      .cpu(binary_kernel(op))
      .no_grad()
      .example({.inputs = {{2, 3}, {3}}});
}

OpBuilder test(OpRegistry& r, const std::string& name, cpu::UnaryOp op) {
  return r.op(name)
      .in("x: T")
      .out("y: bool")
      .attr(std::string("T: ") + kFloats)
      .shape(shape_rule::unchanged)
      .cpu(unary_kernel(op))
      .no_grad()
      .example({.inputs = {{2, 3}}})
      .example({.inputs = {Tensor::vector<float>({1, INFINITY, -INFINITY, NAN})}});
}

}  // namespace

void register_comparison_ops(OpRegistry& r) {
  equality(r, "Equal", BinaryOp::Equal).doc("Whether x == y.");
  equality(r, "NotEqual", BinaryOp::NotEqual).doc("Whether x != y.");
  order(r, "Less", BinaryOp::Less).doc("Whether x < y.");
  order(r, "LessEqual", BinaryOp::LessEqual).doc("Whether x <= y.");
  order(r, "Greater", BinaryOp::Greater).doc("Whether x > y.");
  order(r, "GreaterEqual", BinaryOp::GreaterEqual).doc("Whether x >= y.");

  r.op("ApproximateEqual")
      .in("x: T")
      .in("y: T")
      .out("z: bool")
      .attr("T: numbertype")
      .attr("tolerance: float = 0.00001")
      .commutative()
      .doc("Whether x and y differ by less than the tolerance.")
      .shape(shape_rule::merged)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const DType dtype = m.input_dtype(0);
        if (!is_floating(dtype) && !is_integer(dtype)) return nullptr;
        const int64_t n = m.output_shape().num_elements();
        const float tolerance = m.attr<float>("tolerance");
        return visit_number(dtype, [&]<class T>() {
          return kernel([=](KernelRun& run) {
            // In doubles, but for the tolerance, which TensorFlow has in the dtype.
            const auto most = convert<double>(convert<T>(tolerance));
            const T* x = run.input<T>(0);
            const T* y = run.input<T>(1);
            for (int64_t i = 0; i < n; ++i)
              run.output<bool>()[i] = std::abs(convert<double>(x[i]) - convert<double>(y[i])) < most;
          });
        });
      })
      .no_grad()
      .example({.inputs = {Tensor::vector<float>({1, 2}), Tensor::vector<float>({1.000001F, 2.1F})}});

  logic(r, "LogicalAnd", BinaryOp::LogicalAnd).doc("x and y.");
  logic(r, "LogicalOr", BinaryOp::LogicalOr).doc("x or y.");
  r.op("LogicalNot")
      .in("x: bool")
      .out("y: bool")
      .doc("Not x.")
      .shape(shape_rule::unchanged)
      .cpu(unary_kernel(cpu::UnaryOp::LogicalNot))
      .no_grad()
      .example({.inputs = {{2, 3}}});

  test(r, "IsNan", cpu::UnaryOp::IsNan).doc("Whether x is not a number.");
  test(r, "IsInf", cpu::UnaryOp::IsInf).doc("Whether x is infinite.");
  test(r, "IsFinite", cpu::UnaryOp::IsFinite).doc("Whether x is neither infinite nor NaN.");
}

}  // namespace vf
