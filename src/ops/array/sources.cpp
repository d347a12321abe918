// Where values come from, and ops that hand them on.
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/elements.h"

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
      .placeholder()
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
        // What is fed may differ from the default within the declared shape, so that nothing more is known.
        const Shape& declared = c.attr<Shape>("shape");
        if (!declared.compatible(c.input(0))) c.fail("the default does not have the shape " + declared.str());
        c.set_output(0, declared);
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

  r.op("IdentityN")
      .in("input: T")
      .out("output: T")
      .attr("T: list(type) >= 1")
      .doc("The inputs, handed on together.")
      .shape([](ShapeContext& c) {
        for (int i = 0; i < c.num_inputs(); ++i) c.set_output(i, c.input(i));
      })
      .cpu([](KernelMake& m) {
        std::vector<std::pair<DType, int64_t>> parts;
        for (int i = 0; i < m.num_inputs(); ++i) {
          parts.emplace_back(m.input_dtype(i), m.input_shape(i).num_elements());
          m.allow_in_place(i, i);
        }
        return kernel([=](KernelRun& run) {
          for (int i = 0; i < static_cast<int>(parts.size()); ++i) {
            const auto& [dtype, n] = parts[static_cast<size_t>(i)];
            if (run.output_raw(i) != run.input_raw(i)) copy_elements(dtype, run.input_raw(i), run.output_raw(i), n);
          }
        });
      })
      .grad([](GradientContext& g) {
        for (int i = 0; i < g.node().num_outputs(); ++i)
          if (is_floating(g.input(i).dtype())) g.set(i, g.gradient(i));
      })
      .example({.inputs = {{2, 3}, Tensor::vector<int32_t>({1, 2})}});

  r.op("Snapshot")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .alias()
      .doc("The input as it is now.")
      .shape(shape_rule::unchanged)
      .grad(pass_gradient)
      .example({.inputs = {{2, 3}}});

  r.op("EnsureShape")
      .in("input: T")
      .out("output: T")
      .attr("shape: shape")
      .attr("T: type")
      .alias()
      .doc("The input; an error where it does not have the shape.")
      .shape([](ShapeContext& c) {
        const Shape& wanted = c.attr<Shape>("shape");
        if (!wanted.compatible(c.input(0)))
          c.fail("Shape of tensor " + c.node().input(0).node->name() + " " + c.input(0).str() +
                 " is not compatible with expected shape " + wanted.str() + ".");
        c.set_output(0, wanted.merged(c.input(0)));
      })
      .grad(pass_gradient)
      .example({.inputs = {{2, 3}}, .attrs = {{"shape", Shape{-1, 3}}}});

  r.op("StopGradient")
      .in("input: T")
      .out("output: T")
      .attr("T: type")
      .alias()
      .doc("The input; gradients do not flow through.")
      .shape(shape_rule::unchanged)
      .no_grad()
      .example({.inputs = {{2, 3}}});

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
      })
      .example({.inputs = {{2, 3}}, .gradient = false});

  r.op("NoOp").doc("Does nothing; groups what its control inputs do.").shape(shape_rule::none).no_grad();
}

}  // namespace vf
