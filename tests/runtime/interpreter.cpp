#include "runtime/interpreter.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace vf::testing {
namespace {

int count(const std::vector<int>& shape) {
  int n = 1;
  for (int d : shape) n *= d;
  return n;
}

Values filled(const std::vector<int>& shape, double number) {
  return {shape, std::vector<double>(static_cast<size_t>(count(shape)), number)};
}

size_t index(int row, int columns, int column) {
  return static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column);
}

// Where element (row, column) of a broadcast result comes from.
double at(const Values& v, int row, int column) {
  const size_t rank = v.shape.size();
  const int columns = rank > 0 ? v.shape[rank - 1] : 1;
  const int rows = rank > 1 ? v.shape[0] : 1;
  return v.numbers[index(rows == 1 ? 0 : row, columns, columns == 1 ? 0 : column)];
}

std::vector<int> broadcast(const std::vector<int>& a, const std::vector<int>& b) {
  return a.size() >= b.size() ? a : b;  // programs hold no others
}

int rows_of(const std::vector<int>& shape) { return shape.size() > 1 ? shape[0] : 1; }
int columns_of(const std::vector<int>& shape) { return shape.empty() ? 1 : shape.back(); }

Values each(const Values& a, const Values& b, const std::function<double(double, double)>& f) {
  Values r{broadcast(a.shape, b.shape), {}};
  for (int i = 0; i < rows_of(r.shape); ++i)
    for (int j = 0; j < columns_of(r.shape); ++j) r.numbers.push_back(f(at(a, i, j), at(b, i, j)));
  return r;
}

Values each(const Values& a, const std::function<double(double)>& f) {
  Values r = a;
  for (double& x : r.numbers) x = f(x);
  return r;
}

// The sum over the elements of `v` that one element of `shape` was broadcast to.
Values reduced(const Values& v, const std::vector<int>& shape) {
  Values r = filled(shape, 0);
  const int rows = rows_of(shape);
  const int columns = columns_of(shape);
  for (int i = 0; i < rows_of(v.shape); ++i)
    for (int j = 0; j < columns_of(v.shape); ++j)
      r.numbers[index(rows == 1 ? 0 : i, columns, columns == 1 ? 0 : j)] += at(v, i, j);
  return r;
}

Values product(const Values& a, const Values& b, bool transpose_a, bool transpose_b) {
  const int rows = transpose_a ? a.shape[1] : a.shape[0];
  const int inner = transpose_a ? a.shape[0] : a.shape[1];
  const int columns = transpose_b ? b.shape[0] : b.shape[1];
  Values r = filled({rows, columns}, 0);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      for (int k = 0; k < inner; ++k)
        r.numbers[index(i, columns, j)] +=
            (transpose_a ? at(a, k, i) : at(a, i, k)) * (transpose_b ? at(b, j, k) : at(b, k, j));
  return r;
}

}  // namespace

int live_variable(const Program& program, int statement) {
  const Statement& s = program.statements[static_cast<size_t>(statement)];
  switch (s.kind) {
    case Kind::Read:
    case Kind::Value:
    case Kind::Assign:
    case Kind::AssignAdd:
    case Kind::AssignSub: return program.variables[static_cast<size_t>(s.variable)].resource ? -1 : s.variable;
    case Kind::Same: return live_variable(program, s.in[0]);
    default: return -1;
  }
}

Interpreter::Interpreter(const Program& program, bool single) : program_(program), single_(single) {
  for (const VariableSpec& v : program.variables) variables_.push_back(rounded(v.initial));
}

Values Interpreter::rounded(Values v) const {
  if (single_)
    for (double& x : v.numbers) x = static_cast<double>(static_cast<float>(x));
  return v;
}

void Interpreter::mark(int statement) {
  char& needed = needed_[static_cast<size_t>(statement)];
  if (needed) return;
  needed = 1;
  const Statement& s = program_.statements[static_cast<size_t>(statement)];
  if (s.kind == Kind::Feed) return;  // what is fed waits for nothing
  for (int i : s.in) mark(i);
  for (int i : s.after) mark(i);
}

Interpreter::Results Interpreter::run(const Request& request, const std::map<int, Values>& feeds) {
  needed_.assign(program_.statements.size(), 0);
  records_.assign(program_.statements.size(), {});
  for (int f : request.fetches) mark(f);
  for (int t : request.targets) mark(t);
  Results results;
  before_ = variables_;
  for (int i = 0; i < static_cast<int>(program_.statements.size()); ++i)
    if (needed_[static_cast<size_t>(i)]) execute(i, feeds);
  for (int f : request.fetches) {
    // A reference that is fetched is taken after the run; an Identity of one is a value, read when it ran.
    const Statement& s = program_.statements[static_cast<size_t>(f)];
    const bool reference = live_variable(program_, f) >= 0 &&
                           (s.kind == Kind::Assign || s.kind == Kind::AssignAdd || s.kind == Kind::AssignSub);
    results.fetches.push_back(reference ? variables_[static_cast<size_t>(s.variable)]
                                        : records_[static_cast<size_t>(f)].out);
  }
  for (int v : request.variables) {
    const bool resource = program_.variables[static_cast<size_t>(v)].resource;
    results.variables.push_back((resource ? before_ : variables_)[static_cast<size_t>(v)]);
  }
  return results;
}

Values Interpreter::operand(int statement) const {
  const int live = live_variable(program_, statement);
  return live >= 0 ? variables_[static_cast<size_t>(live)] : records_[static_cast<size_t>(statement)].out;
}

void Interpreter::write(int variable, const Values& value) { variables_[static_cast<size_t>(variable)] = value; }

void Interpreter::execute(int statement, const std::map<int, Values>& feeds) {
  const Statement& s = program_.statements[static_cast<size_t>(statement)];
  Record& r = records_[static_cast<size_t>(statement)];
  for (int i : s.in) r.in.push_back(operand(i));
  const auto variable = [&]() -> const Values& { return variables_[static_cast<size_t>(s.variable)]; };
  switch (s.kind) {
    case Kind::Constant: r.out = s.values; break;
    case Kind::Feed: r.out = feeds.at(statement); break;
    case Kind::Read: r.out = variable(); break;
    case Kind::Value: r.out = before_[static_cast<size_t>(s.variable)]; break;
    case Kind::Assign:
      write(s.variable, r.in[0]);
      r.out = variable();
      break;
    case Kind::AssignAdd:
      write(s.variable, rounded(each(variable(), r.in[0], std::plus())));
      r.out = variable();
      break;
    case Kind::AssignSub:
      write(s.variable, rounded(each(variable(), r.in[0], std::minus())));
      r.out = variable();
      break;
    case Kind::Same: r.out = r.in[0]; break;
    case Kind::Add: r.out = each(r.in[0], r.in[1], std::plus()); break;
    case Kind::Sub: r.out = each(r.in[0], r.in[1], std::minus()); break;
    case Kind::Mul: r.out = each(r.in[0], r.in[1], std::multiplies()); break;
    case Kind::MatMul: r.out = product(r.in[0], r.in[1], false, false); break;
    case Kind::Negate: r.out = each(r.in[0], std::negate()); break;
    case Kind::Square: r.out = each(r.in[0], [](double x) { return x * x; }); break;
    case Kind::Tanh: r.out = each(r.in[0], [](double x) { return std::tanh(x); }); break;
    case Kind::Total: r.out = reduced(r.in[0], {}); break;
    case Kind::Gradient: r.out = gradient(s); break;
  }
  r.out = rounded(r.out);
}

Values Interpreter::gradient(const Statement& s) const {
  Values total = filled(program_.variables[static_cast<size_t>(s.variable)].initial.shape, 0);
  const Values& y = records_[static_cast<size_t>(s.in[0])].out;
  flow(s.in[0], filled(y.shape, 1), s.variable, total);
  return total;
}

// Sends what flows back to a statement on to what it took, path by path.
void Interpreter::flow(int statement, Values g, int variable, Values& total) const {
  const Statement& s = program_.statements[static_cast<size_t>(statement)];
  const Record& r = records_[static_cast<size_t>(statement)];
  const auto send = [&](size_t i, const Values& value) {
    flow(s.in[i], reduced(value, r.in[i].shape), variable, total);
  };
  switch (s.kind) {
    case Kind::Constant:
    case Kind::Feed: return;
    case Kind::Read:
    case Kind::Value:
      if (s.variable == variable) total = each(total, g, std::plus());
      return;
    case Kind::Assign:
    case Kind::AssignAdd:
    case Kind::AssignSub:  // of a resource: the read that follows; a write itself has no gradient
      if (s.variable == variable && program_.variables[static_cast<size_t>(variable)].resource)
        total = each(total, g, std::plus());
      return;
    case Kind::Same: return send(0, g);
    case Kind::Add: send(0, g); return send(1, g);
    case Kind::Sub: send(0, g); return send(1, each(g, std::negate()));
    case Kind::Mul: send(0, each(g, r.in[1], std::multiplies())); return send(1, each(g, r.in[0], std::multiplies()));
    case Kind::MatMul: send(0, product(g, r.in[1], false, true)); return send(1, product(r.in[0], g, true, false));
    case Kind::Negate: return send(0, each(g, std::negate()));
    case Kind::Square: return send(0, each(g, r.in[0], [](double d, double x) { return 2 * d * x; }));
    case Kind::Tanh: return send(0, each(g, r.out, [](double d, double y) { return d * (1 - y * y); }));
    case Kind::Total: return send(0, filled(r.in[0].shape, g.numbers[0]));
    case Kind::Gradient: return;  // programs ask for no gradients of gradients
  }
}

double Interpreter::largest() const {
  double result = 1;
  const auto look = [&](const Values& v) {
    for (double x : v.numbers) result = std::max(result, std::isfinite(x) ? std::abs(x) : HUGE_VAL);
  };
  for (const Values& v : variables_) look(v);
  for (const Record& r : records_) {
    for (const Values& v : r.in) look(v);
    look(r.out);
  }
  return result;
}

bool Interpreter::connected(const Program& program, int statement) {
  const int variable = program.statements[static_cast<size_t>(statement)].variable;
  const std::function<bool(int)> reaches = [&](int i) {
    const Statement& s = program.statements[static_cast<size_t>(i)];
    switch (s.kind) {
      case Kind::Read:
      case Kind::Value: return s.variable == variable;
      case Kind::Assign:
      case Kind::AssignAdd:
      case Kind::AssignSub: return s.variable == variable && program.variables[static_cast<size_t>(variable)].resource;
      case Kind::Constant:
      case Kind::Feed:
      case Kind::Gradient: return false;
      default: return std::any_of(s.in.begin(), s.in.end(), reaches);
    }
  };
  return reaches(program.statements[static_cast<size_t>(statement)].in[0]);
}

}  // namespace vf::testing
