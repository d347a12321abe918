// Batch normalization through a session: what is the op's own, beside the kernels of src/cpu.
#include <gtest/gtest.h>

#include <cmath>

#include "varflow/session.h"

namespace vf {
namespace {

// As TensorFlow 2.21 does on a CPU.
TEST(BatchNormOp, HasNoStatisticsOfNoImages) {
  for (const bool training : {true, false}) {
    Graph g;
    const Tensor images = Tensor::zeros(DType::Float, {0, 2, 2, 3}), ones = Tensor::vector<float>({1, 1, 1});
    Node* n = make(g, "FusedBatchNormV3", {images, ones, ones, ones, ones}, {{"is_training", training}}).node;
    const std::vector<Tensor> out =
        Session(g).run({Output(n, 0), Output(n, 1), Output(n, 2), Output(n, 3), Output(n, 4)});
    EXPECT_EQ(out[0].shape(), images.shape());
    for (const float v : out[1].values<float>()) EXPECT_TRUE(std::isnan(v));
    for (const float v : out[2].values<float>()) EXPECT_TRUE(std::isnan(v));
    for (const float v : out[3].values<float>()) EXPECT_EQ(v, 0);
    for (const float v : out[4].values<float>()) EXPECT_EQ(v, 0);
  }
}

}  // namespace
}  // namespace vf
