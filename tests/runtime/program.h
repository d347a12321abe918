#pragma once
// A small program of reads, assigns, arithmetic and gradients: what the interpreter evaluates and what a graph is made
// from. It knows nothing of graphs, plans or sessions.
#include <cstdint>
#include <string>
#include <vector>

namespace vf::testing {

// Up to two dimensions; a scalar has none.
struct Values {
  std::vector<int> shape;
  std::vector<double> numbers;  // in C order
};

enum class Kind {
  Constant,   // `values`
  Feed,       // what the run feeds
  Read,       // of a resource: its value here. Of a reference: an Identity, which shows the live value to its consumers
  Value,      // of a reference: the read that was made with the variable, "v/read"; fetched: the value before the run
  Assign,     // variable = in[0]; the result is the value afterwards: of a reference the live one
  AssignAdd,  // variable += in[0]
  AssignSub,
  Same,  // Identity of in[0]: a value, or once more the live one
  Add,   // Add, Sub and Mul broadcast
  Sub,
  Mul,
  MatMul,
  Negate,
  Square,
  Tanh,
  Total,     // sum of all elements
  Gradient,  // d(sum of in[0]) / d(variable)
};

struct Statement {
  Kind kind = Kind::Constant;
  std::vector<int> in;     // earlier statements
  std::vector<int> after;  // earlier statements that must have run
  int variable = -1;       // only with the kinds that name one
  Values values;
};

struct VariableSpec {
  Values initial;
  bool resource = false;
};

// Statements stand in the order in which they are created.
struct Program {
  std::vector<VariableSpec> variables;
  std::vector<Statement> statements;
};

// What one run asks for.
struct Request {
  std::vector<int> fetches;    // statements: their values
  std::vector<int> targets;    // statements that only run
  std::vector<int> variables;  // fetched by themselves
};

// One statement a line, for messages of tests.
std::string text(const Program& program);
std::string text(const Request& request);

}  // namespace vf::testing
