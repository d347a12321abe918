// Frozen elements of a kernel through training and a restored checkpoint.
#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "varflow/operators.h"
#include "varflow/saver.h"
#include "varflow/session.h"
#include "varflow/train.h"
#include "varflow/variables.h"

namespace vf {
namespace {

class FrozenElements : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, FrozenElements, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "resource" : "reference"; });

TEST_P(FrozenElements, KeepTheirBitsThroughOptimizersInitializersAndRestore) {
  const testing::TempFolder folder;
  Graph g;
  const Variable kernel = variable(g, Tensor::vector<float>({1, 2, 3}), {.name = "kernel", .use_resource = GetParam()});
  const Output loss = make("Sum", {make("Square", {kernel}), Tensor::vector<int32_t>({0})});
  MomentumOptimizer optimizer(0.1F, 0.9F);
  Node* train = optimizer.minimize(loss);
  Session session(g);
  Saver saver(g);
  session.run(global_variables_initializer(g));
  const std::string saved = saver.save(session, folder / "start");
  session.set_mask(kernel, Tensor::vector<bool>({true, false, true}));
  for (int i = 0; i < 3; ++i) session.run(train);
  const Tensor trained = session.get(kernel);
  EXPECT_LT(trained.data<float>()[0], 1);
  EXPECT_EQ(trained.data<float>()[1], 2);
  session.set_mask(kernel, Tensor::vector<bool>({false, true, true}));  // another one takes over
  saver.restore(session, saved);
  EXPECT_EQ(session.get(kernel).data<float>()[0], trained.data<float>()[0]);
  EXPECT_EQ(session.get(kernel).data<float>()[2], 3);
  session.set({{kernel, Tensor::vector<float>({0, 0, 0})}});
  session.run(global_variables_initializer(g));
  EXPECT_EQ(session.get(kernel).data<float>()[0], trained.data<float>()[0]);
  EXPECT_EQ(session.get(kernel).data<float>()[1], 2);
}

}  // namespace
}  // namespace vf
