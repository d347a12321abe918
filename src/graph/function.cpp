#include "varflow/function.h"

namespace vf {
namespace {

std::vector<Output> outputs_of(Node* node) {
  std::vector<Output> list;
  for (int i = 0; i < node->num_outputs(); ++i) list.emplace_back(node, i);
  return list;
}

std::vector<DType> dtypes_of(const Function& function) {
  std::vector<DType> list;
  for (const Output& r : function.results()) list.push_back(r.dtype());
  return list;
}

}  // namespace

const Function& Graph::add_function(const std::string& name, const std::vector<FunctionArgument>& arguments,
                                    const FunctionBody& build) {
  Graph& library = outermost_ ? *outermost_ : *this;
  std::unique_ptr<Function> made(new Function());
  Function& f = *made;
  f.name_ = name;
  f.body_.reset(new Graph(library, name));
  for (size_t i = 0; i < arguments.size(); ++i) {
    const FunctionArgument& a = arguments[i];
    NodeBuilder node(*f.body_, "Placeholder");
    node.name(a.name.empty() ? "arg" + std::to_string(i) : a.name).attr("dtype", a.dtype);
    if (a.dtype == DType::Resource)  // TensorFlow's attribute for what is known of the variable behind a handle
      node.attr("shape", Shape{}).attr("_handle_shapes", std::vector<Shape>{a.shape});
    else
      node.attr("shape", a.shape);
    f.arguments_.push_back(node.output());
  }
  f.results_ = build(*f.body_, f.arguments_);
  for (size_t i = 0; i < f.results_.size(); ++i) {
    const Output& r = f.results_[i];
    if (!r || &r.graph() != f.body_.get())
      throw Error(Code::InvalidArgument, "result " + std::to_string(i) + " of function " + name + " (" +
                                             (r ? r.name() : std::string("empty")) + ") is no tensor of its body");
    if (r.is_ref())
      throw Error(Code::InvalidArgument,
                  "result " + std::to_string(i) + " of function " + name + " (" + r.name() + ") is a reference");
  }
  f.body_->finalize();
  return library.insert_function(std::move(made));
}

const Function& Graph::insert_function(std::unique_ptr<Function> function) {
  std::unique_lock lock(mutex_);
  if (finalized_) throw Error(Code::FailedPrecondition, "Graph is finalized and cannot be modified.");
  const auto [it, fresh] = functions_.try_emplace(function->name(), nullptr);
  if (!fresh) throw Error(Code::AlreadyExists, "the graph has a function " + function->name());
  it->second = std::move(function);
  return *it->second;
}

const Function* Graph::find_function(std::string_view name) const {
  const Graph& library = outermost_ ? *outermost_ : *this;
  std::shared_lock lock(library.mutex_);
  const auto it = library.functions_.find(name);
  return it == library.functions_.end() ? nullptr : it->second.get();
}

std::vector<Output> if_op(const Operand& cond, const std::vector<Operand>& inputs, const Function& then_branch,
                          const Function& else_branch, const std::string& name) {
  return outputs_of(NodeBuilder("If")
                        .name(name)
                        .input(cond)
                        .inputs(inputs)
                        .attr("Tout", dtypes_of(then_branch))
                        .attr("then_branch", FunctionName{then_branch.name()})
                        .attr("else_branch", FunctionName{else_branch.name()})
                        .build());
}

std::vector<Output> while_op(const std::vector<Operand>& inputs, const Function& cond, const Function& body,
                             const std::string& name) {
  return outputs_of(NodeBuilder("While")
                        .name(name)
                        .inputs(inputs)
                        .attr("cond", FunctionName{cond.name()})
                        .attr("body", FunctionName{body.name()})
                        .build());
}

}  // namespace vf
