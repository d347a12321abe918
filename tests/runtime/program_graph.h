#pragma once
// A program as a graph, and requests as runs of a session.
#include <map>
#include <vector>

#include "runtime/interpreter.h"
#include "runtime/program.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf::testing {

class ProgramGraph {
 public:
  explicit ProgramGraph(DType dtype) : dtype_(dtype) {}

  // Adds nodes for the program's variables and statements that are new.
  void follow(const Program& program);
  Interpreter::Results run(Session& session, const Program& program, const Request& request,
                           const std::map<int, Values>& feeds) const;
  std::vector<Values> variables(Session& session) const;
  std::vector<Node*> initializers() const;
  Graph& graph() { return graph_; }

 private:
  Tensor tensor(const Values& values) const;
  Output build(const Program& program, const Statement& s);

  const DType dtype_;
  Graph graph_;
  std::vector<Variable> variables_;
  std::vector<Output> outputs_;  // of each statement
};

}  // namespace vf::testing
