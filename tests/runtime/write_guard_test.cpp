// Frozen elements and constraints hold through every way to write a variable.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <thread>

#include "varflow/op.h"
#include "varflow/session.h"

namespace vf {
namespace {

Output reference(Graph& g, const std::string& name, const Shape& shape) {
  return make(g, "VariableV2", {}, {{"dtype", DType::Float}, {"shape", shape}}, name);
}

Output resource(Graph& g, const std::string& name, const Shape& shape) {
  return make(g, "VarHandleOp", {}, {{"dtype", DType::Float}, {"shape", shape}, {"shared_name", name}}, name);
}

Tensor filled(const Shape& shape, float value) {
  Tensor t(DType::Float, shape);
  for (int64_t i = 0; i < t.num_elements(); ++i) t.data<float>()[i] = value;
  return t;
}

const Shape kShape{4, 2};
const uint32_t kOdd = 0x7FC0BEEF;  // a NaN whose bits no arithmetic gives back

// All may change but element 1.
Tensor mask_of_one() {
  Tensor mask(DType::Bool, kShape);
  for (int64_t i = 0; i < 8; ++i) mask.data<bool>()[i] = i != 1;
  return mask;
}

// A use of an op that writes variables: shapes by the arguments' names. A new op of that kind has to fit in here.
Operand operand(Graph& g, const OpDef& op, const ArgSpec& arg) {
  if (op.accesses.count(arg.name)) {
    const std::string name = "variable_" + arg.name;
    return arg.is_ref ? reference(g, name, kShape) : resource(g, name, kShape);
  }
  if (arg.name == "value" || arg.name == "delta" || arg.name == "grad") return filled(kShape, 3);
  if (arg.name == "updates") return Tensor::of<float>({2, 2}, {3, 3, -3, -3});  // so that Min and Max change a row
  if (arg.name == "indices") return Tensor::vector<int32_t>({0, 2});
  return Tensor(0.5F);
}

template <class Test>
bool any(const Tensor& t, Test test) {
  const auto values = t.values<float>();
  return std::any_of(values.begin(), values.end(), test);
}

struct Written {
  std::string op;
  std::string argument;
};

std::vector<Written> all_writes() {
  std::vector<Written> list;
  for (const auto& op : OpRegistry::standard().ops())
    for (const auto& [argument, access] : op->accesses)
      if (access == Access::Update || access == Access::Overwrite) list.push_back({op->name, argument});
  return list;
}

class EveryWrite : public testing::TestWithParam<Written> {
 protected:
  // Makes the node; the variable that is looked at is `watched`, the others are zero.
  void make_write() {
    const OpDef& op = *OpRegistry::standard().find(GetParam().op);
    NodeBuilder b(graph, op.name);
    std::vector<std::pair<VariableName, Tensor>> start;
    for (const ArgSpec& arg : op.inputs) {
      const Operand o = operand(graph, op, arg);
      b.input(o);
      if (!op.accesses.count(arg.name)) continue;
      start.emplace_back(o.output(), filled(kShape, arg.name == GetParam().argument ? 0.25F : 0.1F));
      if (arg.name == GetParam().argument) watched = o.output();
    }
    if (op.find_attr("dtype")) b.attr("dtype", DType::Float);
    write = b.build();
    session.set(start);
  }

  Graph graph;
  Session session{graph};
  Output watched;
  Node* write = nullptr;
};

TEST_P(EveryWrite, KeepsFrozenBits) {
  make_write();
  Tensor before = session.get(watched);
  before.data<float>()[1] = std::bit_cast<float>(kOdd);
  session.set({{watched, before}});
  session.set_mask(watched, mask_of_one());
  for (int round = 0; round < 2; ++round) {
    session.run(write);
    const Tensor after = session.get(watched);
    EXPECT_EQ(std::bit_cast<uint32_t>(after.data<float>()[1]), kOdd);
    EXPECT_TRUE(any(after, [](float x) { return x != 0.25F && !std::isnan(x); })) << "what is not frozen changes";
  }
  session.clear_mask(watched);
  session.set({{watched, filled(kShape, 0.25F)}});
  session.run(write);
  EXPECT_EQ(session.get(watched).data<float>()[1], session.get(watched).data<float>()[0]) << "no mask any more";
}

TEST_P(EveryWrite, KeepsTheConstraint) {
  make_write();
  session.set_constraint(watched, {.low = 0.2, .high = 0.26});
  session.run(write);
  const Tensor clipped = session.get(watched);
  for (float x : clipped.values<float>()) EXPECT_TRUE(x >= 0.2F && x <= 0.26F) << x;
  EXPECT_TRUE(any(clipped, [](float x) { return x == 0.2F || x == 0.26F; })) << clipped.str();
  int calls = 0;
  session.set_constraint(watched, {.project = [&](Tensor& t) {
                           ++calls;
                           t.data<float>()[7] = 42;
                         }});
  EXPECT_EQ(session.get(watched).data<float>()[7], 42) << "holds at once";
  session.run(write);
  EXPECT_EQ(session.get(watched).data<float>()[7], 42);
  EXPECT_EQ(calls, 2);
}

TEST_P(EveryWrite, LeavesTheOldValueWhereTheConstraintFails) {
  make_write();
  const Tensor before = session.get(watched);
  bool fail = false;
  session.set_constraint(watched, {.project = [&](Tensor& t) {
                           t.data<float>()[0] = 9;
                           if (fail) throw Error(Code::InvalidArgument, "not like this");
                           t.data<float>()[0] = 0.25F;
                         }});
  fail = true;
  EXPECT_THROW(session.run(write), Error);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(session.get(watched).data<float>()[i], before.data<float>()[i]);
}

INSTANTIATE_TEST_SUITE_P(Ops, EveryWrite, testing::ValuesIn(all_writes()),
                         [](const auto& p) { return p.param.op + "_" + p.param.argument; });

TEST(WriteGuard, HoldsThroughDirectWrites) {
  Graph g;
  const Output v = reference(g, "v", {3});
  const Output w = reference(g, "w", {3});
  Session s(g);
  s.set({{v, Tensor::vector<float>({1, 2, 3})}, {w, Tensor::vector<float>({1, 2, 3})}});
  s.set_mask(v, Tensor::vector<bool>({true, false, true}));
  const Tensor given = Tensor::vector<float>({7, 8, 9});
  s.set({{v, given}});
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({7, 2, 9}).str());
  EXPECT_EQ(given.data<float>()[1], 8) << "the caller's array was written to";
  // All or nothing, also where a constraint fails.
  s.set_constraint(w, {.project = [](Tensor& t) {
                     if (t.data<float>()[0] < 0) throw Error(Code::InvalidArgument, "negative");
                   }});
  EXPECT_THROW(s.set({{v, Tensor::vector<float>({0, 0, 0})}, {w, Tensor::vector<float>({-1, 0, 0})}}), Error);
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({7, 2, 9}).str());
  EXPECT_EQ(s.get(w).str(), Tensor::vector<float>({1, 2, 3}).str());
}

TEST(WriteGuard, KeepsTheFirstValueOfAVariableThatHasNone) {
  Graph g;
  const Output v = reference(g, "v", {2});
  const Output init = make("Assign", {v, Tensor::vector<float>({5, 6})});
  Session s(g);
  s.set_mask(v, Tensor::vector<bool>({false, true}));
  s.run(init.node);
  s.set({{v, Tensor::vector<float>({0, 0})}});
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({5, 0}).str());
  s.run(init.node);
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({5, 6}).str());
}

TEST(WriteGuard, LeavesViewsAloneAndWritesInPlace) {
  Graph g;
  const Output v = reference(g, "v", {3});
  const Output add = make("AssignAdd", {v, Tensor::vector<float>({1, 1, 1})});
  Session s(g);
  s.set({{v, Tensor::vector<float>({1, 2, 3})}});
  s.set_mask(v, Tensor::vector<bool>({true, false, true}));
  s.set_constraint(v, {.high = 3.5});
  {
    const Tensor view = s.view(v);
    s.run(add.node);
    EXPECT_EQ(view.str(), Tensor::vector<float>({1, 2, 3}).str());
    EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({2, 2, 3.5F}).str());
  }
  const void* place = s.view(v).raw();
  s.run(add.node);
  EXPECT_EQ(s.view(v).raw(), place);
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({3, 2, 3.5F}).str());
}

TEST(WriteGuard, FrozenElementsWinOverTheConstraint) {
  Graph g;
  const Output v = reference(g, "v", {2});
  Session s(g);
  s.set({{v, Tensor::vector<float>({10, 10})}});
  s.set_mask(v, Tensor::vector<bool>({false, true}));
  s.set_constraint(v, {.low = -1, .high = 1});
  EXPECT_EQ(s.get(v).str(), Tensor::vector<float>({10, 1}).str());
  s.clear_mask(v);
  EXPECT_FALSE(s.mask(v).valid());
  s.set({{v, Tensor::vector<float>({10, NAN})}});
  EXPECT_EQ(s.get(v).data<float>()[0], 1);
  EXPECT_TRUE(std::isnan(s.get(v).data<float>()[1]));
  s.clear_constraint(v);
  s.set({{v, Tensor::vector<float>({10, 10})}});
  EXPECT_EQ(s.get(v).data<float>()[0], 10);
}

TEST(WriteGuard, OfStrings) {
  Graph g;
  const Output v = make(g, "VariableV2", {}, {{"dtype", DType::String}, {"shape", Shape{2}}}, "v");
  Session s(g);
  s.set({{v, Tensor::vector<std::string>({"a", "b"})}});
  s.set_mask(v, Tensor::vector<bool>({false, true}));
  s.set({{v, Tensor::vector<std::string>({"c", "d"})}});
  EXPECT_EQ(s.get(v).values<std::string>()[0], "a");
  EXPECT_EQ(s.get(v).values<std::string>()[1], "d");
}

TEST(WriteGuard, RefusesWhatDoesNotFit) {
  Graph g;
  const Output v = reference(g, "v", {2});
  const Output grown = make("Assign", {v, Tensor::vector<float>({1, 2, 3})}, {{"validate_shape", false}}, "grow");
  const Output n = make(g, "VariableV2", {}, {{"dtype", DType::Int32}, {"shape", Shape{2}}}, "n");
  Session s(g);
  s.set({{v, Tensor::vector<float>({1, 2})}});
  EXPECT_THROW(s.set_mask(v, Tensor::vector<bool>({true})), Error);
  EXPECT_THROW(s.set_mask(v, Tensor::vector<float>({1, 0})), Error);
  EXPECT_THROW(s.set_constraint(v, {.low = 2, .high = 1}), Error);
  EXPECT_THROW(s.set_constraint(n, {.low = 0}), Error);
  s.set_mask(v, Tensor::vector<bool>({true, false}));
  try {
    s.run(grown.node);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::FailedPrecondition);
    EXPECT_STREQ(e.what(), "[Assign grow] variable v has a mask of shape [2]: a value of shape [3] cannot keep it");
  }
  s.clear_mask(v);
  s.run(grown.node);
  EXPECT_EQ(s.get(v).shape(), Shape{3});
  EXPECT_THROW(s.set_constraint(v, {.project = [](Tensor& t) { t = Tensor::zeros(DType::Float, {3}); }}), Error);
}

TEST(WriteGuard, MayChangeWhileRunsWrite) {
  Graph g;
  const Output v = reference(g, "v", {100});
  const Output add = make("AssignAdd", {v, filled({100}, 1)});
  Session s(g);
  s.set({{v, filled({100}, 0)}});
  std::thread runs([&] {
    for (int i = 0; i < 500; ++i) s.run(add.node);
  });
  Tensor mask(DType::Bool, {100});
  for (int i = 0; i < 100; ++i) mask.data<bool>()[i] = i % 2 == 0;
  for (int i = 0; i < 100; ++i) {
    s.set_mask(v, mask);
    s.clear_mask(v);
  }
  s.set_mask(v, mask);
  const float frozen = s.get(v).data<float>()[1];
  runs.join();
  const Tensor after = s.get(v);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(after.data<float>()[i], i % 2 == 0 ? 500 : frozen);
}

}  // namespace
}  // namespace vf
