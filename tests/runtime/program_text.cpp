#include <array>

#include "runtime/program.h"

namespace vf::testing {
namespace {

const char* name(Kind kind) {
  static constexpr std::array names{"Constant",  "Feed",   "Read", "Value", "Assign",  "AssignAdd",
                                    "AssignSub", "Same",   "Add",  "Sub",   "Mul",     "MatMul",
                                    "Negate",    "Square", "Tanh", "Total", "Gradient"};
  return names.at(static_cast<size_t>(kind));
}

std::string numbers(const std::vector<int>& list) {
  std::string s;
  for (int i : list) s += (s.empty() ? "" : " ") + std::to_string(i);
  return s;
}

}  // namespace

std::string text(const Program& program) {
  std::string s;
  for (size_t v = 0; v < program.variables.size(); ++v)
    s += "variable " + std::to_string(v) + (program.variables[v].resource ? " resource [" : " reference [") +
         numbers(program.variables[v].initial.shape) + "]\n";
  for (size_t i = 0; i < program.statements.size(); ++i) {
    const Statement& at = program.statements[i];
    s += std::to_string(i) + ": " + name(at.kind) + "(" + numbers(at.in) + ")";
    if (at.kind == Kind::Gradient || (at.kind >= Kind::Read && at.kind <= Kind::AssignSub))
      s += " variable " + std::to_string(at.variable);
    if (!at.after.empty()) s += " after " + numbers(at.after);
    s += "\n";
  }
  return s;
}

std::string text(const Request& request) {
  return "fetches " + numbers(request.fetches) + "; targets " + numbers(request.targets) + "; variables " +
         numbers(request.variables) + "\n";
}

}  // namespace vf::testing
