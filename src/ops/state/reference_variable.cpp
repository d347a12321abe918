// Variables of TensorFlow's reference kind: VariableV2 and what writes through its output.
#include "graph/shape_rules.h"
#include "ops/state/state_ops.h"

namespace vf {

namespace {

void assign_shape(ShapeContext& c) {
  const Shape& value = c.input(1);
  if (!c.attr<bool>("validate_shape")) {
    c.set_output(0, value);
    c.set_variable(0, value);
    return;
  }
  const Shape& variable = c.input(0);
  if (variable.fully_defined() && value.fully_defined() && !(variable == value))
    c.fail("Assign requires shapes of both tensors to match. lhs shape= " + variable.str() +
           " rhs shape= " + value.str());
  const Shape merged = shape_rule::merge(c, variable, value);
  c.set_output(0, merged);
  c.set_variable(0, merged);
}

// AssignAdd and AssignSub.
void update_shape(ShapeContext& c) {
  if (!c.input(0).compatible(c.input(1))) c.fail("Parameters and update must be the same size");
  c.set_output(0, c.input(0).merged(c.input(1)));
}

}  // namespace

void register_reference_variable_ops(OpRegistry& r) {
  r.op("VariableV2")
      .out("ref: Ref(dtype)")
      .attr("shape: shape")
      .attr("dtype: type")
      .attr("container: string = ''")
      .attr("shared_name: string = ''")
      .stateful()
      .doc("Holds a tensor that persists between runs; its output refers to it.")
      .shape(shape_rule::from_attr)
      .no_grad();

  r.op("Assign")
      .in("ref: Ref(T)")
      .in("value: T")
      .out("output_ref: Ref(T)")
      .attr("T: type")
      .attr("validate_shape: bool = true")
      .attr("use_locking: bool = true")
      .allows_uninitialized_input()
      .overwrites("ref")
      .doc("Sets the variable to the value. Without validate_shape it may take another shape.")
      .shape(assign_shape)
      .cpu(assign_variable)
      .no_grad();

  for (const bool add : {true, false}) {
    r.op(add ? "AssignAdd" : "AssignSub")
        .in("ref: Ref(T)")
        .in("value: T")
        .out("output_ref: Ref(T)")
        .attr("T: numbertype")
        .attr("use_locking: bool = false")
        .updates("ref")
        .doc(add ? "Adds the value to the variable, in place." : "Subtracts the value from the variable, in place.")
        .shape(update_shape)
        .cpu(update_variable(add ? cpu::BinaryOp::Add : cpu::BinaryOp::Sub))
        .no_grad();
  }

  r.op("IsVariableInitialized")
      .in("ref: Ref(dtype)")
      .out("is_initialized: bool")
      .attr("dtype: type")
      .allows_uninitialized_input()
      .peeks("ref")
      .doc("True once the variable has a value.")
      .shape(shape_rule::scalar)
      .cpu(ask_initialized)
      .no_grad();
}

}  // namespace vf
