#pragma once
// A graph's function library (TensorFlow's FunctionDefs) and the ops that run its functions: If, While.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

// A named body with arguments and results. Its nodes stand in a graph of their own, which shares the library; a node
// of another graph cannot be an input, so that what the body needs comes in as an argument. Never changes once made.
class VF_API Function {
 public:
  const std::string& name() const { return name_; }
  Graph& body() const { return *body_; }
  // Placeholders of the body. One of dtype Resource stands for a variable of the caller's.
  const std::vector<Output>& arguments() const { return arguments_; }
  const std::vector<Output>& results() const { return results_; }

 private:
  friend class Graph;
  Function() = default;
  std::string name_;
  std::unique_ptr<Graph> body_;
  std::vector<Output> arguments_;
  std::vector<Output> results_;
};

// One of the two, by `cond`: a scalar number that is not zero, a string or another shape that is not empty, is true.
// Both functions take `inputs` and give results of the same dtypes. A result that is a resource must be an argument.
VF_API std::vector<Output> if_op(const Operand& cond, const std::vector<Operand>& inputs, const Function& then_branch,
                                 const Function& else_branch, const std::string& name = "");
// `inputs = body(inputs)` while `cond(inputs)`; the last ones. Shapes may change from turn to turn, dtypes may not.
// A result that is a resource must be the argument in its place.
VF_API std::vector<Output> while_op(const std::vector<Operand>& inputs, const Function& cond, const Function& body,
                                    const std::string& name = "");

}  // namespace vf
