// Ops that change or read rows of a variable by index.
#include <gtest/gtest.h>

#include "varflow/gradients.h"
#include "varflow/session.h"

namespace vf {
namespace {

const Tensor kRows = Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});

std::vector<float> values(const Tensor& t) { return {t.values<float>().begin(), t.values<float>().end()}; }

// A variable of either kind, its value set to kRows.
struct Variable {
  Graph graph;
  Output ref;
  bool resource;
  explicit Variable(bool is_resource) : resource(is_resource) {
    ref = make(graph, resource ? "VarHandleOp" : "VariableV2", {}, {{"dtype", DType::Float}, {"shape", Shape{3, 2}}},
               "v");
  }
  Node* scatter(const std::string& kind, const Tensor& indices, const Tensor& updates) {
    return make((resource ? "ResourceScatter" : "Scatter") + kind, {ref, indices, updates}).node;
  }
};

class Scatter : public testing::TestWithParam<bool> {};

TEST_P(Scatter, ChangesRowsInTheOrderOfTheIndices) {
  const Tensor indices = Tensor::vector<int32_t>({2, 0, 2});
  const Tensor updates = Tensor::of<float>({3, 2}, {10, 20, 2, 4, 5, 2});
  const std::vector<std::pair<std::string, std::vector<float>>> cases{
      {"Update", {2, 4, 3, 4, 5, 2}},
      {"Add", {3, 6, 3, 4, 20, 28}},
      {"Sub", {-1, -2, 3, 4, -10, -16}},
      {"Mul", {2, 8, 3, 4, 250, 240}},
      {"Div", {0.5, 0.5, 3, 4, 5.0F / 10 / 5, 6.0F / 20 / 2}},
      {"Min", {1, 2, 3, 4, 5, 2}},
      {"Max", {2, 4, 3, 4, 10, 20}},
  };
  for (const auto& [kind, want] : cases) {
    SCOPED_TRACE(kind);
    Variable v(GetParam());
    Node* op = v.scatter(kind, indices, updates);
    Session s(v.graph);
    s.set({{v.ref, kRows}});
    const Tensor pinned = s.view(v.ref);
    s.run(op);
    EXPECT_EQ(values(s.get(v.ref)), want);
    EXPECT_EQ(values(pinned), values(kRows)) << "a view moved with the variable";
  }
}

TEST_P(Scatter, TakesOneUpdateForAllRows) {
  Variable v(GetParam());
  Node* add = v.scatter("Add", Tensor::of<int64_t>({1, 2}, {0, 1}), Tensor(10.0F));
  Session s(v.graph);
  s.set({{v.ref, kRows}});
  s.run(add);
  EXPECT_EQ(values(s.get(v.ref)), (std::vector<float>{11, 12, 13, 14, 5, 6}));
}

TEST_P(Scatter, RefusesAnIndexOutsideAndWritesNothing) {
  Variable v(GetParam());
  Node* add = v.scatter("Add", Tensor::vector<int32_t>({0, 3}), Tensor::of<float>({2, 2}, {1, 1, 1, 1}));
  Session s(v.graph);
  s.set({{v.ref, kRows}});
  try {
    s.run(add);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::InvalidArgument);
    EXPECT_NE(std::string(e.what()).find("indices[1] = 3 is not in [0, 3)"), std::string::npos) << e.what();
  }
  EXPECT_EQ(values(s.get(v.ref)), values(kRows));
}

TEST_P(Scatter, RefusesUpdatesOfAnotherShape) {
  Variable v(GetParam());
  EXPECT_THROW(v.scatter("Add", Tensor::vector<int32_t>({0}), Tensor::of<float>({1, 3}, {1, 1, 1})), Error);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Scatter, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Resource" : "Reference"; });

TEST(ResourceGather, ReadsRowsAndAddsUpTheirGradients) {
  Variable v(true);
  const Output rows = make("ResourceGather", {v.ref, Tensor::vector<int32_t>({2, 0, 2})}, {{"dtype", DType::Float}});
  EXPECT_EQ(rows.shape(), Shape({3, 2}));
  const Output weights =
      make(v.graph, "Const", {}, {{"dtype", DType::Float}, {"value", Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6})}});
  const Output dv = gradients({rows}, {v.ref}, {weights})[0];
  const Output shape = make("VariableShape", {v.ref});
  Session s(v.graph);
  s.set({{v.ref, kRows}});
  const auto out = s.run({rows, dv, shape});
  EXPECT_EQ(values(out[0]), (std::vector<float>{5, 6, 1, 2, 5, 6}));
  EXPECT_EQ(values(out[1]), (std::vector<float>{3, 4, 0, 0, 6, 8}));
  EXPECT_EQ(out[2].values<int32_t>()[0], 3);
  EXPECT_EQ(out[2].values<int32_t>()[1], 2);
}

}  // namespace
}  // namespace vf
