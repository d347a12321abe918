// Variables of TensorFlow's resource kind: VarHandleOp and the ops that take its handle.
#include "cpu/elementwise.h"
#include "graph/reference.h"
#include "graph/shape_rules.h"
#include "ops/state/state_ops.h"

namespace vf {
namespace {

// Ops on a handle see the variable's own shape as that of input 0. What the handle's declaration leaves open, an assign
// may change, unless it is asked to keep the present shape.
void assign_shape(ShapeContext& c) {
  const Shape expected = c.attr<bool>("validate_shape") ? c.input(0) : static_input_shape(c.node(), 0);
  if (!expected.compatible(c.input(1)))
    c.fail("Trying to assign to variable with tensor with wrong shape. Expected " + expected.str() + " got " +
           c.input(1).str());
  c.set_variable(0, expected.merged(c.input(1)));
}

void update_shape(ShapeContext& c) {
  if (!c.input(0).compatible(c.input(1)))
    c.fail("Cannot update variable with shape " + c.input(0).str() + " using a Tensor with shape " + c.input(1).str() +
           ", shapes must be equal.");
}

}  // namespace

void register_resource_variable_ops(OpRegistry& r) {
  r.op("VarHandleOp")
      .out("resource: resource")
      .attr("container: string = ''")
      .attr("shared_name: string = ''")
      .attr("debug_name: string = ''")
      .attr("dtype: type")
      .attr("shape: shape")
      .attr("allowed_devices: list(string) = []")
      .stateful()
      .doc("Makes a handle to a variable that persists between runs.")
      .shape(shape_rule::scalar)
      .no_grad();

  r.op("ReadVariableOp")
      .in("resource: resource")
      .out("value: dtype")
      .attr("dtype: type")
      .stateful()
      .alias()
      .reads("resource")
      .doc("The variable's value when this op runs; later writes do not change it.")
      .shape([](ShapeContext& c) { c.set_output(0, c.input(0)); })
      .grad([](GradientContext& g) { g.set(0, g.gradient()); });

  r.op("AssignVariableOp")
      .in("resource: resource")
      .in("value: dtype")
      .attr("dtype: type")
      .attr("validate_shape: bool = false")
      .stateful()
      .overwrites("resource")
      .doc("Sets the variable to the value.")
      .shape(assign_shape)
      .cpu(assign_variable)
      .no_grad();

  for (const bool add : {true, false}) {
    r.op(add ? "AssignAddVariableOp" : "AssignSubVariableOp")
        .in("resource: resource")
        .in("value: dtype")
        .attr("dtype: type")
        .stateful()
        .updates("resource")
        .doc(add ? "Adds the value to the variable, in place." : "Subtracts the value from the variable, in place.")
        .shape(update_shape)
        .cpu(update_variable(add ? cpu::BinaryOp::Add : cpu::BinaryOp::Sub))
        .no_grad();
  }

  r.op("VarIsInitializedOp")
      .in("resource: resource")
      .out("is_initialized: bool")
      .stateful()
      .peeks("resource")
      .doc("True once the variable has a value.")
      .shape(shape_rule::scalar)
      .cpu(ask_initialized)
      .no_grad();
}

}  // namespace vf
