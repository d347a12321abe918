// What ops say when a run gives them values that they cannot take.
#include <gtest/gtest.h>

#include "varflow/session.h"

namespace vf {
namespace {

std::string error_of(const std::string& op, const std::vector<Tensor>& inputs, const AttrMap& attrs = {}) {
  Graph g;
  std::vector<Operand> operands;
  Feeds feeds;
  for (const Tensor& t : inputs) {
    const Output in = make(g, "Placeholder", {}, {{"dtype", t.dtype()}});
    feeds.emplace_back(in, t);
    operands.emplace_back(in);
  }
  try {
    Session(g).run(make(g, op, operands, attrs, "node"), feeds);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::InvalidArgument);
    EXPECT_EQ(e.node(), "node");
    return e.what();
  }
  return "";
}

Tensor ints(std::initializer_list<int32_t> values) { return Tensor::vector<int32_t>(values); }
Tensor floats(std::initializer_list<float> values) { return Tensor::vector<float>(values); }

TEST(Errors, OfArithmetic) {
  EXPECT_EQ(error_of("Div", {ints({1, 2}), ints({1, 0})}), "[Div node] Integer division by zero");
  EXPECT_EQ(error_of("FloorMod", {ints({1}), ints({0})}), "[FloorMod node] Integer division by zero");
  EXPECT_EQ(error_of("Div", {floats({1}), floats({0})}), "");
  EXPECT_EQ(error_of("Pow", {ints({2}), ints({-1})}), "[Pow node] Integers to negative integer powers are not allowed");
  EXPECT_NE(error_of("AddV2", {floats({1, 2}), floats({1, 2, 3})}), "");
  EXPECT_NE(error_of("MatMul", {Tensor::zeros(DType::Float, {2, 3}), Tensor::zeros(DType::Float, {2, 3})}), "");
}

TEST(Errors, OfPlaces) {
  EXPECT_EQ(error_of("GatherV2", {floats({1, 2}), Tensor::of<int32_t>({1, 2}, {0, 2}), Tensor(0)}),
            "[GatherV2 node] indices[0,1] = 2 is not in [0, 2)");
  EXPECT_EQ(error_of("UnsortedSegmentSum", {floats({1, 2}), ints({0, 3}), Tensor(3)}),
            "[UnsortedSegmentSum node] segment_ids[1] = 3 is not in [0, 3)");
  EXPECT_NE(error_of("Slice", {floats({1, 2, 3}), ints({2}), ints({2})}).find("Expected"), std::string::npos);
  EXPECT_NE(error_of("Sum", {floats({1, 2}), ints({1})}).find("Invalid reduction dimension"), std::string::npos);
  EXPECT_NE(error_of("ArgMax", {Tensor::zeros(DType::Float, {0, 3}), Tensor(0)}).find("Reduction axis 0 is empty"),
            std::string::npos);
  EXPECT_NE(error_of("StridedSlice", {floats({1, 2}), ints({2}), ints({3}), ints({1})}, {{"shrink_axis_mask", 1}})
                .find("slice index 2 of dimension 0 out of bounds."),
            std::string::npos);
  EXPECT_NE(error_of("Transpose", {Tensor::zeros(DType::Float, {2, 3}), ints({0, 0})}), "");
  EXPECT_NE(error_of("BroadcastTo", {floats({1, 2}), ints({3})}), "");
  EXPECT_NE(error_of("Tile", {floats({1, 2}), ints({-1})}), "");
  EXPECT_NE(error_of("Pad", {floats({1, 2}), Tensor::of<int32_t>({1, 2}, {-1, 0})}), "");
}

TEST(Errors, OfBatchNormalization) {
  const Tensor x = Tensor::zeros(DType::Float, {2, 2, 2, 3});
  const Tensor right = floats({1, 1, 1}), wrong = floats({1, 1}), none = Tensor::zeros(DType::Float, {0});
  const std::string unlike = "must have the same number of elements as the channels of x, got ";
  const std::string forward = "[FusedBatchNormV3 node] When ", backward = "[FusedBatchNormGradV3 node] ";
  const auto forward_error = [&](const Tensor& mean, const Tensor& variance, bool training, float factor) {
    return error_of("FusedBatchNormV3", {x, right, right, mean, variance},
                    {{"is_training", training}, {"exponential_avg_factor", factor}});
  };
  EXPECT_EQ(forward_error(wrong, right, false, 1), forward + "is_training=false, mean " + unlike + "2 and 3");
  EXPECT_EQ(forward_error(right, none, false, 1), forward + "is_training=false, variance " + unlike + "0 and 3");
  EXPECT_EQ(forward_error(none, none, true, 0.5), forward + "exponential_avg_factor != 1, mean " + unlike + "0 and 3");
  EXPECT_EQ(forward_error(wrong, none, true, 1), "");
  const auto backward_error = [&](const Tensor& dy, const Tensor& scale, const Tensor& mean, const Tensor& variance) {
    return error_of("FusedBatchNormGradV3", {dy, x, scale, mean, variance, none});
  };
  EXPECT_EQ(backward_error(x, wrong, right, right), backward + "scale " + unlike + "2 and 3");
  EXPECT_EQ(backward_error(x, right, wrong, right), backward + "reserve_space_1 " + unlike + "2 and 3");
  EXPECT_EQ(backward_error(x, right, right, none), backward + "reserve_space_2 " + unlike + "0 and 3");
  EXPECT_EQ(backward_error(Tensor::zeros(DType::Float, {1, 2, 2, 3}), right, right, right),
            backward +
                "x and y_backprop must have same shape, but x has shape [2,2,2,3] and y_backprop has shape "
                "[1,2,2,3]");
  EXPECT_EQ(backward_error(x, right, right, right), "");
}

// Gradients trust nothing that a graph says of the forward pass.
TEST(Errors, OfGradientsWithOtherShapes) {
  const auto zeros = [](const Shape& s) { return Tensor::zeros(DType::Float, s); };
  const AttrMap conv{{"strides", std::vector<int64_t>{1, 1, 1, 1}}, {"padding", "SAME"}};
  EXPECT_NE(error_of("Conv2DBackpropInput", {ints({1, 4, 4, 1}), zeros({3, 3, 1, 2}), zeros({1, 3, 4, 2})}, conv)
                .find("Size of out_backprop doesn't match computed"),
            std::string::npos);
  EXPECT_NE(error_of("Conv2DBackpropFilter", {zeros({1, 4, 4, 1}), ints({3, 3, 1, 2}), zeros({1, 4, 4, 3})}, conv), "");
  const AttrMap pool{
      {"ksize", std::vector<int64_t>{1, 2, 2, 1}}, {"strides", std::vector<int64_t>{1, 2, 2, 1}}, {"padding", "VALID"}};
  EXPECT_NE(error_of("MaxPoolGrad", {zeros({1, 4, 4, 1}), zeros({1, 2, 2, 1}), zeros({1, 3, 2, 1})}, pool), "");
  EXPECT_NE(error_of("AvgPoolGrad", {ints({1, 4, 4, 1}), zeros({1, 2, 3, 1})}, pool), "");
  EXPECT_NE(error_of("StridedSliceGrad", {ints({4}), ints({1}), ints({3}), ints({1}), floats({1, 2, 3})}), "");
}

}  // namespace
}  // namespace vf
