// Strings, resources and variants through the public API, and views that outlive their session.
#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "varflow/gradients.h"
#include "varflow/op.h"
#include "varflow/saver.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

const Tensor kWords =
    Tensor::vector<std::string>({"a", "", std::string("b\0c", 3), "a longer one, beyond what fits inside"});

std::vector<std::string> words(const Tensor& t) {
  return {t.values<std::string>().begin(), t.values<std::string>().end()};
}

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(Strings, AreConstantsFeedsAndFetches) {
  Graph g;
  const Output c = make(g, "Const", {}, {{"dtype", DType::String}, {"value", kWords}});
  const Output x = make(g, "Placeholder", {}, {{"dtype", DType::String}, {"shape", Shape{-1}}}, "x");
  const Output both = make("ConcatV2", {make("Identity", {c}), x, 0});
  Session s(g);
  EXPECT_EQ(words(s.run(c)), words(kWords));
  for (int i = 0; i < 2; ++i) {
    Tensor fed = Tensor::vector<std::string>({"fed", "twice"});
    const Tensor out = s.run(both, {{x, fed}});
    fed.data<std::string>()[0] = "scribbled";
    ASSERT_EQ(out.shape(), Shape{6});
    EXPECT_EQ(words(out)[2], words(kWords)[2]);
    EXPECT_EQ(words(out)[4], "fed");
  }
  EXPECT_EQ(error_of([&] {
              s.run(x, {{x, Tensor(1.0F)}});
            }),
            "Cannot feed value of dtype float32 for Tensor x:0, which has dtype string");
}

TEST(Strings, AreVariablesAndInCheckpoints) {
  const testing::TempFolder folder;
  Graph g;
  const Variable v = variable(g, kWords, {.name = "words"});
  Session s(g);
  s.run(global_variables_initializer(g));
  const Tensor view = s.view(v);
  Saver saver(g);
  const std::string saved = saver.save(s, folder / "model");
  s.set({{v, Tensor::vector<std::string>({"1", "2", "3", "4"})}});
  EXPECT_EQ(words(view), words(kWords));
  EXPECT_EQ(words(s.get(v))[3], "4");
  EXPECT_EQ(words(CheckpointReader(saved).read("words")), words(kWords));
  Session restored(g);
  saver.restore(restored, saved);
  EXPECT_EQ(words(restored.get(v)), words(kWords));
}

TEST(Strings, AreRefusedByNameWhereNumbersAreNeeded) {
  Graph g;
  const Output c = make(g, "Const", {}, {{"dtype", DType::String}, {"value", kWords}});
  EXPECT_NE(error_of([&] {
              make("Mul", {c, c}, {}, "product");
            }).find("string is not in the list of allowed values"),
            std::string::npos);
}

TEST(Resources, AreHandlesThatReadsAndAssignsTake) {
  Graph g;
  const Variable v = variable(g, Tensor::vector<float>({1, 2}), {.name = "v", .use_resource = true});
  EXPECT_EQ(v.ref().dtype(), DType::Resource);
  Session s(g);
  s.run(global_variables_initializer(g));
  EXPECT_EQ(s.run(v).values<float>()[1], 2);
  EXPECT_EQ(error_of([&] { s.run(v.ref()); }),
            "[VarHandleOp v] a resource cannot be fetched; read the variable's value");
  Tensor handle(DType::Resource, Shape{});
  *handle.data<ResourceHandle>() = {"", "v", "Var"};
  EXPECT_EQ(handle.clone().data<ResourceHandle>()->name, "v");
  EXPECT_THROW(handle.cast(DType::Float), Error);
}

class Box : public VariantValue {
 public:
  std::string type_name() const override { return "Box"; }
};

TEST(Variants, AreTensorsAndUnsupportedByName) {
  Tensor t(DType::Variant, Shape{2});
  EXPECT_EQ(t.data<Variant>()[0], nullptr);
  t.data<Variant>()[1] = std::make_shared<Box>();
  EXPECT_EQ(t.clone().data<Variant>()[1]->type_name(), "Box");
  EXPECT_EQ(t.str(), "[2] variant [null Box]");
  Graph g;
  const Output x = make(g, "Placeholder", {}, {{"dtype", DType::Variant}, {"shape", Shape{2}}}, "x");
  const Output c = make(g, "Const", {}, {{"dtype", DType::Variant}, {"value", t}}, "c");
  Session s(g);
  EXPECT_EQ(s.run(make("Identity", {x}), {{x, t}}).data<Variant>()[1]->type_name(), "Box");
  EXPECT_EQ(s.run(c).data<Variant>()[1]->type_name(), "Box");
  const std::string error = error_of([&] { s.run(make("ZerosLike", {c}, {}, "zeros")); });
  EXPECT_EQ(error, "[ZerosLike zeros] has no kernel for inputs of dtype (variant)");
}

TEST(Views, PinAVersionAndOutliveTheSession) {
  Graph g;
  const Variable v = variable(g, Tensor::vector<float>({1, 2}), {.name = "v"});
  Node* add = assign_add(v, Tensor::vector<float>({1, 1})).node;
  Tensor view;
  {
    Session s(g);
    EXPECT_NE(error_of([&] { s.view(v); }).find("Attempting to use uninitialized value v"), std::string::npos);
    s.run(global_variables_initializer(g));
    view = s.view(v);
    EXPECT_EQ(view.raw(), s.view(v).raw()) << "without a copy";
    EXPECT_NE(view.raw(), s.get(v).raw());
    s.run(add);
    EXPECT_NE(view.raw(), s.view(v).raw()) << "the write went elsewhere";
    s.set({{v, Tensor::vector<float>({7, 8})}});
    s.close();
  }
  EXPECT_EQ(view.str(), Tensor::vector<float>({1, 2}).str());
}

}  // namespace
}  // namespace vf
