// TensorFlow's functional control flow. The plan runs the functions as bodies of its own (src/plan/blocks.h).
#include "ops/register.h"
#include "varflow/function.h"

namespace vf {
namespace {

// What both shapes say.
Shape common(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return Shape::unknown();
  Shape s = a;
  for (int i = 0; i < a.rank(); ++i)
    if (a[i] != b[i]) s.set_dim(i, Shape::kUnknown);
  return s;
}

const Function* function(const ShapeContext& c, const std::string& attr) {
  return c.node().graph().find_function(c.attr<FunctionName>(attr).name);
}

Shape result(const Function* f, int i) {
  return f && i < static_cast<int>(f->results().size()) ? f->results()[static_cast<size_t>(i)].shape()
                                                        : Shape::unknown();
}

// True where the node says its shapes itself.
bool declared_shapes(ShapeContext& c) {
  const auto* shapes = c.node().attr_value("output_shapes").get<std::vector<Shape>>();
  if (!shapes || shapes->empty()) return false;
  if (static_cast<int>(shapes->size()) != c.node().num_outputs())
    c.fail("`output_shapes` must be the same length as the outputs (" + std::to_string(shapes->size()) + " vs. " +
           std::to_string(c.node().num_outputs()) + ")");
  for (int i = 0; i < c.node().num_outputs(); ++i) c.set_output(i, (*shapes)[static_cast<size_t>(i)]);
  return true;
}

void branch_shape(ShapeContext& c) {
  if (declared_shapes(c)) return;
  const Function* yes = function(c, "then_branch");
  const Function* no = function(c, "else_branch");
  for (int i = 0; i < c.node().num_outputs(); ++i) c.set_output(i, common(result(yes, i), result(no, i)));
}

// After no turn at all a value has the shape that goes in.
void loop_shape(ShapeContext& c) {
  if (declared_shapes(c)) return;
  const Function* body = function(c, "body");
  for (int i = 0; i < c.node().num_outputs(); ++i) {
    const bool handed_on = body && i < static_cast<int>(body->results().size()) &&
                           i < static_cast<int>(body->arguments().size()) &&
                           body->results()[static_cast<size_t>(i)] == body->arguments()[static_cast<size_t>(i)];
    c.set_output(i, handed_on ? c.input(i) : common(c.input(i), result(body, i)));
  }
}

void no_gradient_yet(GradientContext& g) {
  throw Error(Code::Unimplemented, g.node().type(), g.node().name(), "has no gradient yet");
}

}  // namespace

void register_control_flow_ops(OpRegistry& r) {
  for (const bool stateless : {false, true}) {
    auto op = r.op(stateless ? "StatelessIf" : "If");
    op.in("cond: Tcond")
        .in("input: Tin")
        .out("output: Tout")
        .attr("Tcond: type")
        .attr("Tin: list(type) >= 0")
        .attr("Tout: list(type) >= 0")
        .attr("then_branch: func")
        .attr("else_branch: func")
        .attr("output_shapes: list(shape) = []")
        .branch("then_branch", "else_branch")
        .doc("Runs one of two functions on the input, by a scalar that is zero or not.")
        .shape(branch_shape)
        .grad(no_gradient_yet);
    if (!stateless) op.stateful();
  }
  for (const bool stateless : {false, true}) {
    auto op = r.op(stateless ? "StatelessWhile" : "While");
    op.in("input: T")
        .out("output: T")
        .attr("T: list(type) >= 0")
        .attr("cond: func")
        .attr("body: func")
        .attr("output_shapes: list(shape) = []")
        .attr("parallel_iterations: int = 10")
        .loop("cond", "body")
        .doc("input = body(input) while cond(input) is not zero; the last input.")
        .shape(loop_shape)
        .grad(no_gradient_yet);
    if (!stateless) op.stateful();
  }
}

}  // namespace vf
