// Where values come from, and ops that hand them on.
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"

namespace vf {
namespace {

void pass_gradient(GradientContext& g) { g.set(0, g.gradient()); }

}  // namespace

void register_source_ops(OpRegistry& r) {
  r.op("Const")
      .out("output: dtype")
      .attr("value: tensor")
      .attr("dtype: type")
      .constant()
      .doc("A tensor that never changes.")
      .shape([](ShapeContext& c) { c.set_output(0, c.attr<Tensor>("value").shape()); })
      .no_grad();

  r.op("Placeholder")
      .out("output: dtype")
      .attr("dtype: type")
      .attr("shape: shape = unknown")
      .doc("A value that each run must feed.")
      .shape(shape_rule::from_attr)
      .cpu([](KernelMake& m) -> std::unique_ptr<Kernel> {
        const Shape& shape = m.attr<Shape>("shape");
        std::string text = "You must feed a value for placeholder tensor '" + m.node().name() + "' with dtype " +
                           dtype_name(m.output_dtype());
        if (shape.has_rank() && shape.rank() > 0) text += " and shape " + shape.str();
        m.fail(text);
      })
      .no_grad();

  r.op("PlaceholderWithDefault")
      .in("input: dtype")
      .out("output: dtype")
      .attr("dtype: type")
      .attr("shape: shape")
      .alias()
      .doc("The input, unless a run feeds another value.")
      .shape([](ShapeContext& c) {
        // The plan sees a fed value as a feed; here the default speaks.
        const Shape& declared = c.attr<Shape>("shape");
        if (!declared.compatible(c.input(0))) c.fail("the default does not have the shape " + declared.str());
        c.set_output(0, c.input(0).fully_defined() && declared.fully_defined() ? c.input(0) : declared);
        if (c.input(0).fully_defined() && !declared.fully_defined()) c.set_output(0, c.input(0));
      })
      .grad(pass_gradient)
      .example({.inputs = {{2, 3}}, .attrs = {{"shape", Shape{2, 3}}}});

  r.op("Identity")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .alias()
      .passes_reference()
      .doc("The input; of a reference, the variable's value when a consumer runs.")
      .shape(shape_rule::unchanged)
      .grad(pass_gradient)
      .example({.inputs = {{2, 3}}});

  r.op("StopGradient")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .alias()
      .doc("The input; gradients do not flow through.")
      .shape(shape_rule::unchanged)
      .no_grad();

  r.op("PreventGradient")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .attr("message: string = ''")
      .alias()
      .doc("The input; asking for a gradient through it is an error with the message.")
      .shape(shape_rule::unchanged)
      .grad([](GradientContext& g) {
        throw Error(Code::InvalidArgument, g.node().type(), g.node().name(),
                    "Gradient explicitly disabled. Reason: " + g.node().attr<std::string>("message"));
      });

  r.op("NoOp").doc("Does nothing; groups what its control inputs do.").shape(shape_rule::none).no_grad();
}

}  // namespace vf
