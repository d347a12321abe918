#include "runtime/random_program.h"

#include <algorithm>

#include "runtime/interpreter.h"

namespace vf::testing {
namespace {

const std::vector<std::vector<int>>& shapes() {
  static const std::vector<std::vector<int>> list{{}, {3}, {2, 3}, {3, 3}};
  return list;
}

bool broadcasts(const std::vector<int>& a, const std::vector<int>& b) {
  if (a == b || a.empty() || b.empty()) return true;
  return a.size() != b.size() && a.back() == b.back();
}

bool is_assign(Kind k) { return k == Kind::Assign || k == Kind::AssignAdd || k == Kind::AssignSub; }

}  // namespace

RandomProgram::RandomProgram(uint64_t seed) : random_(seed) {
  const int variables = 1 + below(3);
  for (int v = 0; v < variables; ++v)
    program_.variables.push_back({values(shapes()[static_cast<size_t>(below(4))]), chance(50)});
  grow();
}

Values RandomProgram::values(const std::vector<int>& shape) {
  Values v{shape, {}};
  int n = 1;
  for (int d : shape) n *= d;
  for (int i = 0; i < n; ++i) v.numbers.push_back((below(33) - 16) / 16.0);
  return v;
}

// A statement that is accepted; -1 where there is none. Late ones are likelier.
template <class Accept>
int RandomProgram::pick(Accept accept) {
  std::vector<int> candidates;
  for (int i = 0; i < static_cast<int>(shapes_.size()); ++i)
    if (accept(i)) candidates.push_back(i);
  if (candidates.empty()) return -1;
  const int n = static_cast<int>(candidates.size());
  return candidates[static_cast<size_t>(std::max(below(n), below(n)))];
}

int RandomProgram::add(Statement s, const std::vector<int>& shape) {
  const int n = static_cast<int>(shapes_.size());
  if (n > 0 && s.kind != Kind::Value)
    while (chance(25)) s.after.push_back(below(n));
  program_.statements.push_back(std::move(s));
  shapes_.push_back(shape);
  return n;
}

int RandomProgram::constant(const std::vector<int>& shape) {
  Statement s;
  s.kind = chance(60) ? Kind::Constant : Kind::Feed;
  s.values = values(shape);
  return add(std::move(s), shape);
}

// Whether a gradient of the statement would be one of another gradient.
bool RandomProgram::holds_gradient(int statement) const {
  const Statement& s = program_.statements[static_cast<size_t>(statement)];
  if (s.kind == Kind::Gradient) return true;
  if (is_assign(s.kind)) return false;
  return std::any_of(s.in.begin(), s.in.end(), [&](int i) { return holds_gradient(i); });
}

bool RandomProgram::statement() {
  Statement s;
  s.variable = below(static_cast<int>(program_.variables.size()));
  const VariableSpec& v = program_.variables[static_cast<size_t>(s.variable)];
  const std::vector<int> shape = v.initial.shape;
  const auto of = [&](int i) -> const std::vector<int>& { return shapes_[static_cast<size_t>(i)]; };
  const auto any = [](int) { return true; };
  switch (below(12)) {
    case 0: constant(shapes()[static_cast<size_t>(below(4))]); return true;
    case 1:
    case 2:
      s.kind = v.resource || chance(50) ? Kind::Read : Kind::Value;
      add(s, shape);
      return true;
    case 3:
    case 4: {
      constexpr Kind kinds[] = {Kind::Assign, Kind::AssignAdd, Kind::AssignSub};
      s.kind = kinds[below(3)];
      int value = pick([&](int i) { return of(i) == shape; });
      if (value < 0) value = constant(shape);
      s.in = {value};
      add(s, shape);
      return true;
    }
    case 5:
    case 6: {
      const int y = pick([&](int i) {
        Program with = program_;
        Statement g;
        g.kind = Kind::Gradient;
        g.in = {i};
        g.variable = s.variable;
        with.statements.push_back(g);
        return !holds_gradient(i) && Interpreter::connected(with, static_cast<int>(with.statements.size()) - 1);
      });
      if (y < 0) return false;
      s.kind = Kind::Gradient;
      s.in = {y};
      add(s, shape);
      return true;
    }
    case 7: {
      const auto matrix = [&](int i) { return of(i).size() == 2; };
      const int a = pick(matrix);
      const int b = pick([&](int i) { return matrix(i) && of(i)[0] == 3; });
      if (a < 0 || b < 0) return false;
      s.kind = Kind::MatMul;
      s.in = {a, b};
      add(s, {of(a)[0], 3});
      return true;
    }
    case 8: {
      const int a = pick(any);
      if (a < 0) return false;
      constexpr Kind kinds[] = {Kind::Same, Kind::Negate, Kind::Square, Kind::Tanh, Kind::Total};
      s.kind = kinds[below(5)];
      s.in = {a};
      add(s, s.kind == Kind::Total ? std::vector<int>{} : of(a));
      return true;
    }
    default: {
      const int a = pick(any);
      if (a < 0) return false;
      const int b = pick([&](int i) { return broadcasts(of(i), of(a)); });
      constexpr Kind kinds[] = {Kind::Add, Kind::Sub, Kind::Mul, Kind::Mul};
      s.kind = kinds[below(4)];
      s.in = {a, b};
      if (chance(50)) std::swap(s.in[0], s.in[1]);
      add(s, of(a).size() >= of(b).size() ? of(a) : of(b));
      return true;
    }
  }
}

void RandomProgram::grow() {
  for (int wanted = 6 + below(10); wanted > 0;)
    if (statement()) --wanted;
}

Request RandomProgram::request() {
  Request r;
  const int n = static_cast<int>(shapes_.size());
  for (int k = 1 + below(4); k > 0; --k) r.fetches.push_back(below(n));
  // A gradient and an assign: what this is about.
  const int gradient = pick([&](int i) { return program_.statements[static_cast<size_t>(i)].kind == Kind::Gradient; });
  if (gradient >= 0) r.fetches.push_back(gradient);
  const int write = pick([&](int i) { return is_assign(program_.statements[static_cast<size_t>(i)].kind); });
  if (write >= 0) r.targets.push_back(write);
  // (A placeholder that is fed cannot run.)
  const int other = pick([&](int i) { return program_.statements[static_cast<size_t>(i)].kind != Kind::Feed; });
  if (other >= 0 && chance(30)) r.targets.push_back(other);
  if (chance(50)) r.variables.push_back(below(static_cast<int>(program_.variables.size())));
  return r;
}

std::map<int, Values> RandomProgram::feeds() {
  std::map<int, Values> result;
  for (int i = 0; i < static_cast<int>(shapes_.size()); ++i)
    if (program_.statements[static_cast<size_t>(i)].kind == Kind::Feed)
      result[i] = values(shapes_[static_cast<size_t>(i)]);
  return result;
}

}  // namespace vf::testing
