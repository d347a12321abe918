#include "runtime/program_graph.h"

#include "varflow/gradients.h"

namespace vf::testing {
namespace {

Values values_of(const Tensor& t) {
  Values v;
  for (int64_t d : t.shape().dims()) v.shape.push_back(static_cast<int>(d));
  for (int64_t i = 0; i < t.num_elements(); ++i) v.numbers.push_back(t.number(i));
  return v;
}

}  // namespace

Tensor ProgramGraph::tensor(const Values& values) const {
  Shape shape;
  for (int d : values.shape) shape.add_dim(d);
  return Tensor::of<double>(shape, std::span<const double>(values.numbers)).cast(dtype_);
}

void ProgramGraph::follow(const Program& program) {
  for (size_t v = variables_.size(); v < program.variables.size(); ++v)
    variables_.push_back(
        variable(graph_, tensor(program.variables[v].initial), {.use_resource = program.variables[v].resource}));
  for (size_t i = outputs_.size(); i < program.statements.size(); ++i) {
    std::vector<Node*> after;
    for (int a : program.statements[i].after) after.push_back(outputs_[static_cast<size_t>(a)].node);
    const ControlDependencies hold(graph_, after);
    outputs_.push_back(build(program, program.statements[i]));
  }
}

Output ProgramGraph::build(const Program&, const Statement& s) {
  const auto in = [&](size_t i) { return outputs_[static_cast<size_t>(s.in[i])]; };
  const auto var = [&]() -> const Variable& { return variables_[static_cast<size_t>(s.variable)]; };
  switch (s.kind) {
    case Kind::Constant: return make(graph_, "Const", {}, {{"dtype", dtype_}, {"value", tensor(s.values)}});
    case Kind::Feed: return make(graph_, "Placeholder", {}, {{"dtype", dtype_}, {"shape", tensor(s.values).shape()}});
    case Kind::Read: return var().is_resource() ? var().value() : make("Identity", {var().ref()});
    case Kind::Value: return var().value();
    case Kind::Assign: return assign(var(), in(0));
    case Kind::AssignAdd: return assign_add(var(), in(0));
    case Kind::AssignSub: return assign_sub(var(), in(0));
    case Kind::Same: return make("Identity", {in(0)});
    case Kind::Add: return make("AddV2", {in(0), in(1)});
    case Kind::Sub: return make("Sub", {in(0), in(1)});
    case Kind::Mul: return make("Mul", {in(0), in(1)});
    case Kind::MatMul: return make("MatMul", {in(0), in(1)});
    case Kind::Negate: return make("Neg", {in(0)});
    case Kind::Square: return make("Square", {in(0)});
    case Kind::Tanh: return make("Tanh", {in(0)});
    case Kind::Total: {
      std::vector<int64_t> axes;
      for (int axis = 0; axis < in(0).shape().rank(); ++axis) axes.push_back(axis);
      return make("Sum", {in(0), axes});
    }
    case Kind::Gradient: return gradients({in(0)}, {var().ref()})[0];
  }
  return {};
}

Interpreter::Results ProgramGraph::run(Session& session, const Program& program, const Request& request,
                                       const std::map<int, Values>& feeds) const {
  Fetches fetches;
  for (int f : request.fetches) fetches.emplace_back(outputs_[static_cast<size_t>(f)]);
  for (int v : request.variables) fetches.emplace_back(variables_[static_cast<size_t>(v)]);
  for (int t : request.targets) fetches.emplace_back(outputs_[static_cast<size_t>(t)].node);
  Feeds fed;
  for (const auto& [statement, value] : feeds)
    if (program.statements[static_cast<size_t>(statement)].kind == Kind::Feed)
      fed.emplace_back(outputs_[static_cast<size_t>(statement)], tensor(value));
  const std::vector<Tensor> tensors = session.run(fetches, fed);
  Interpreter::Results results;
  for (size_t i = 0; i < request.fetches.size(); ++i) results.fetches.push_back(values_of(tensors[i]));
  for (size_t i = 0; i < request.variables.size(); ++i)
    results.variables.push_back(values_of(tensors[request.fetches.size() + i]));
  return results;
}

std::vector<Values> ProgramGraph::variables(Session& session) const {
  std::vector<Values> result;
  for (const Variable& v : variables_) result.push_back(values_of(session.get(v.ref())));
  return result;
}

std::vector<Node*> ProgramGraph::initializers() const {
  std::vector<Node*> result;
  for (const Variable& v : variables_) result.push_back(v.initializer());
  return result;
}

}  // namespace vf::testing
