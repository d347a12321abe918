#pragma once
// The meaning of a program, by plain loops over numbers, one statement after the other.
//
// Only statements that the request needs run, in the order in which they were created. A statement that takes a live
// value (of a reference, through any number of Identities) reads the variable when it runs itself. A gradient is that
// of the numbers which the statements on its path read and computed, whatever was assigned since.
#include <map>
#include <optional>
#include <vector>

#include "runtime/program.h"

namespace vf::testing {

class Interpreter {
 public:
  // With `single`, every result is rounded to float.
  Interpreter(const Program& program, bool single);

  struct Results {
    std::vector<Values> fetches;
    std::vector<Values> variables;  // as requested: of a reference after the run, of a resource before it
  };
  // `feeds`: a value for each statement of kind Feed, by number of the statement.
  Results run(const Request& request, const std::map<int, Values>& feeds);

  const std::vector<Values>& variables() const { return variables_; }
  // The largest magnitude that the last run met: what rounding errors are measured by.
  double largest() const;
  // Whether the variable reaches in[0] of a gradient at all.
  static bool connected(const Program& program, int statement);

 private:
  // What a statement found and computed in the run.
  struct Record {
    std::vector<Values> in;
    Values out;
  };
  void mark(int statement);
  Values operand(int statement) const;
  void execute(int statement, const std::map<int, Values>& feeds);
  Values gradient(const Statement& s) const;
  void flow(int statement, Values gradient, int variable, Values& total) const;
  void write(int variable, const Values& value);
  Values rounded(Values v) const;

  const Program& program_;
  const bool single_;
  std::vector<Values> variables_;
  std::vector<Values> before_;  // as variables_ were when the run began
  std::vector<char> needed_;
  std::vector<Record> records_;
};

// The variable whose live value a statement shows; -1 where it is a value of its own.
int live_variable(const Program& program, int statement);

}  // namespace vf::testing
