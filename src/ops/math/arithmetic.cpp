// Binary arithmetic with broadcasting, and its gradients.
#include "graph/shape_rules.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::BinaryOp;

OpBuilder binary(OpRegistry& r, const std::string& name, const std::string& types, BinaryOp op) {
  return r.op(name)
      .in("x: T")
      .in("y: T")
      .out("z: T")
      .attr("T: " + types)
      .shape(shape_rule::broadcast)
      .cpu(binary_kernel(op));
}

}  // namespace

void register_arithmetic_ops(OpRegistry& r) {
  for (const char* name : {"Add", "AddV2"}) {
    const bool v2 = std::string(name) == "AddV2";
    binary(r, name,
           v2 ? "{bfloat16, half, float, double, uint8, uint16, uint32, uint64, int8, int16, int32, int64, complex64, "
                "complex128}"
              : "{bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128, string}",
           BinaryOp::Add)
        .function(v2 ? "add" : "add_v1")
        .doc("x + y")
        .grad([](GradientContext& g) { set_broadcast_gradients(g, g.gradient(), g.gradient()); })
        .example({.inputs = {{2, 3}, {2, 3}}})
        .example({.inputs = {{2, 3}, {3}}})
        .example({.inputs = {{2, 1}, {1, 3}}});
  }

  binary(r, "Sub", "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, int64, complex64, complex128, "
                   "uint32, uint64}",
         BinaryOp::Sub)
      .function("subtract")
      .doc("x - y")
      .grad([](GradientContext& g) { set_broadcast_gradients(g, g.gradient(), g.make("Neg", {g.gradient()})); })
      .example({.inputs = {{2, 3}, {3}}});

  binary(r, "Mul", "{bfloat16, half, float, double, uint8, int8, uint16, int16, int32, uint32, uint64, int64, "
                   "complex64, complex128}",
         BinaryOp::Mul)
      .function("multiply")
      .doc("x * y")
      .grad([](GradientContext& g) {
        set_broadcast_gradients(g, g.make("Mul", {g.gradient(), g.input(1)}), g.make("Mul", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}, {2, 3}}})
      .example({.inputs = {{2, 3}, {3}}});
}

}  // namespace vf
