// Kernels that do the work of those before them: fewer steps, the same numbers.
#include "plan/absorb.h"

#include <gtest/gtest.h>

#include <cmath>

#include "plan/program.h"
#include "plan/specialise.h"
#include "runtime/session_state.h"
#include "varflow/varflow.h"

namespace vf {
namespace {

struct Case {
  const char* name;
  int64_t size, channels;    // of the images
  int64_t window, stride;    // of the pooling
  std::string between = {};  // an op between ReLU and pooling
  size_t steps;              // of the gradients' plan that are of the backward pass through ReLU and pooling
};

// Gradients of a convolution with bias, ReLU and pooling, for its kernel and bias.
struct Network {
  explicit Network(const Case& c)
      : images(placeholder(graph, DType::Float, {3, c.size, c.size, c.channels})),
        kernel(get_variable(graph, "kernel", {5, 5, c.channels, 32},
                            {.initializer = random_normal_initializer({.seed = 1})})),
        bias(get_variable(graph, "bias", {32}, {.initializer = random_normal_initializer({.seed = 2})})) {
    Output x = make("Conv2D", {images, kernel}, {{"strides", std::vector<int64_t>{1, 1, 1, 1}}, {"padding", "SAME"}});
    x = make("Relu", {make("BiasAdd", {x, bias})});
    if (!c.between.empty()) x = make(c.between, {x});
    x = max_pool(x, c.window, c.stride);
    gradient = gradients({make("Sum", {make("Square", {x}), Tensor::vector<int32_t>({0, 1, 2, 3})})}, {kernel, bias});
  }
  size_t steps(const std::string& type) const {
    const plan::Program program = plan::make_program({.fetches = gradient, .feeds = {images}, .targets = {}});
    plan::Conditions conditions;
    conditions.feed_shapes = {images.shape()};
    for (const Node* v : program.variables) conditions.variable_shapes.push_back(v->attr<Shape>("shape"));
    const auto segment = plan::specialise(program, conditions);
    size_t n = 0;
    for (const plan::Step& step : segment->steps) n += step.kernel && step.node->type() == type;
    return n;
  }
  std::vector<Tensor> run(bool fuse) {
    Session session(graph, {.threads = 2});
    SessionAccess::state(session).hooks.fuse = fuse;
    session.run({global_variables_initializer(graph)});
    Tensor fed(DType::Float, images.shape());
    for (int64_t i = 0; i < fed.num_elements(); ++i) fed.data<float>()[i] = std::sin(static_cast<float>(i * i));
    return session.run({gradient[0], gradient[1]}, {{images, fed}});
  }
  Graph graph;
  Output images;
  Variable kernel, bias;
  std::vector<Output> gradient;
};

double distance(const Tensor& a, const Tensor& b) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double x = double{a.data<float>()[i]}, y = double{b.data<float>()[i]};
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return std::sqrt(difference / norm);
}

class AbsorbTest : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Networks, AbsorbTest,
    testing::Values(
        Case{.name = "FirstLayer", .size = 8, .channels = 1, .window = 2, .stride = 2, .steps = 0},
        Case{.name = "Color", .size = 10, .channels = 3, .window = 2, .stride = 2, .steps = 0},
        // Two windows may choose one element: the gradient is made, in one step.
        Case{.name = "Overlapping", .size = 9, .channels = 1, .window = 3, .stride = 2, .steps = 1},
        Case{.name = "ManyChannels", .size = 8, .channels = 16, .window = 2, .stride = 2, .steps = 1},
        Case{.name = "NotNext", .size = 8, .channels = 1, .window = 2, .stride = 2, .between = "Tanh", .steps = 2}),
    [](const auto& of) { return of.param.name; });

TEST_P(AbsorbTest, MakesFewerSteps) {
  const Network network(GetParam());
  EXPECT_EQ(network.steps("MaxPoolGrad") + network.steps("ReluGrad"), GetParam().steps);
  EXPECT_EQ(network.steps("Conv2DBackpropFilter"), 1);
  EXPECT_EQ(network.steps("BiasAddGrad"), 1);
}

TEST_P(AbsorbTest, GivesTheSameNumbers) {
  Network network(GetParam());
  const std::vector<Tensor> single = network.run(false), absorbed = network.run(true);
  for (size_t i = 0; i < single.size(); ++i) EXPECT_LE(distance(absorbed[i], single[i]), 1e-6) << "gradient " << i;
}

}  // namespace
}  // namespace vf
