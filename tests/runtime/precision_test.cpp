// SessionOptions::precision: how far a convolution and its gradients in floats are from the same in double.
#include <gtest/gtest.h>

#include <cmath>

#include "varflow/varflow.h"

namespace vf {
namespace {

// A 5x5 convolution of 32 to 64 channels, and the gradients of its squares' sum for images and kernel.
std::vector<Tensor> convolve(DType dtype, Precision precision) {
  Graph graph;
  const auto values = [&](const Shape& shape, double scale) {
    Tensor t(dtype, shape);
    for (int64_t i = 0; i < t.num_elements(); ++i) {
      const double x = scale * std::sin(static_cast<double>(i) * 0.7 + std::cos(static_cast<double>(i)));
      // Exact in float, so that both see the same numbers.
      if (dtype == DType::Float)
        t.data<float>()[i] = static_cast<float>(x);
      else
        t.data<double>()[i] = static_cast<double>(static_cast<float>(x));
    }
    return t;
  };
  const Output images = placeholder(graph, dtype, {8, 14, 14, 32});
  const Output kernel = placeholder(graph, dtype, {5, 5, 32, 64});
  const Output y =
      make("Conv2D", {images, kernel}, {{"strides", std::vector<int64_t>{1, 1, 1, 1}}, {"padding", "SAME"}});
  const Output loss = make("Sum", {make("Square", {y}), Tensor::vector<int32_t>({0, 1, 2, 3})});
  const std::vector<Output> gradient = gradients({loss}, {images, kernel});
  Session session(graph, {.threads = 2, .precision = precision});
  return session.run({y, gradient[0], gradient[1]},
                     {{images, values({8, 14, 14, 32}, 1)}, {kernel, values({5, 5, 32, 64}, 0.1)}});
}

double distance(const Tensor& a, const Tensor& exact) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double d = double{a.data<float>()[i]} - exact.data<double>()[i];
    difference += d * d;
    norm += exact.data<double>()[i] * exact.data<double>()[i];
  }
  return std::sqrt(difference / norm);
}

TEST(Precision, BoundsTheErrorOfConvolutions) {
  const std::vector<Tensor> exact = convolve(DType::Double, Precision::Highest);
  double last = 0;
  for (const auto& [precision, most] :
       {std::pair{Precision::Highest, 8e-7}, {Precision::High, 2e-6}, {Precision::Medium, 6e-6}}) {
    const std::vector<Tensor> got = convolve(DType::Float, precision);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_LE(distance(got[i], exact[i]), most) << "result " << i;
    EXPECT_GT(distance(got[0], exact[0]), last) << "the same algorithm as one step before";
    last = distance(got[0], exact[0]);
  }
}

}  // namespace
}  // namespace vf
