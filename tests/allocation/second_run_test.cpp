// Nothing is allocated while a plan runs for the second time, but for what the caller gets: the vector of results, and
// for each fetched value a buffer and its head.
#include <gtest/gtest.h>

#include <functional>

#include "allocation/counter.h"
#include "small_model.h"
#include "varflow/function.h"
#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf::testing {
namespace {

// The third call takes what its results need, and the fourth too.
void expect_results_only(const std::function<std::vector<Tensor>()>& run, const std::string& name) {
  if (!can_count_allocations()) GTEST_SKIP() << "the sanitizer has the heap";
  SCOPED_TRACE(name);
  std::vector<Tensor> results = run();
  for (int round = 0; round < 2; ++round) {
    AllocationCounter counter;
    results = run();
    const Allocations found = counter.stop();
    int64_t kept = 1;
    for (const Tensor& t : results) kept += t.valid() ? 2 : 0;
    const auto own = found.by_library.find("");
    EXPECT_EQ(own == found.by_library.end() ? 0 : own->second, kept) << found.places;
    // What oneDNN takes while it executes is its own affair; told apart, not hidden: the test's report has the number.
    for (const auto& [library, count] : found.by_library) {
      if (library.empty()) continue;
      EXPECT_TRUE(library.starts_with("libdnnl")) << library << " took memory " << count << " times";
      ::testing::Test::RecordProperty(name + ", " + library, std::to_string(count));
    }
  }
}

TEST(SecondRun, ScalesAKernel) {
  Graph graph;
  const Variable kernel = variable(graph, Tensor::zeros(DType::Float, {3, 3, 3, 64}));
  const Output decay = assign(kernel, kernel * 0.9F);
  Session session(graph);
  session.run(kernel.initializer());
  const Callable call = session.make_callable({decay.node});
  const std::vector<Tensor> nothing;
  expect_results_only([&] { return call(nothing); }, "callable");
  const Fetches fetches = {decay.node};
  expect_results_only([&] { return session.run(fetches); }, "run");
  const Fetches value = {decay};
  expect_results_only([&] { return session.run(value); }, "run with a fetch");
}

// A hundred turns with an assign and a branch in each.
TEST(SecondRun, TurnsALoop) {
  Graph graph;
  const Variable v = variable(graph, Tensor::zeros(DType::Float, {1000}), {.use_resource = true});
  const std::vector<FunctionArgument> both{{DType::Float, Shape{1000}}, {DType::Resource, Shape{1000}}};
  const Function& grow = graph.add_function("grow", both, [](Graph&, const std::vector<Output>& a) {
    NodeBuilder("AssignAddVariableOp").input(a[1]).input(a[0]).build();
    return std::vector<Output>{a[0] * 1.5F};
  });
  const Function& shrink = graph.add_function("shrink", both, [](Graph&, const std::vector<Output>& a) {
    return std::vector<Output>{make("Sub", {a[0], make("ReadVariableOp", {a[1]}, {{"dtype", DType::Float}})})};
  });
  const std::vector<FunctionArgument> all{{DType::Int32, Shape{}}, both[0], both[1]};
  const Function& more = graph.add_function("more", all, [](Graph&, const std::vector<Output>& a) {
    return std::vector<Output>{make("Less", {a[0], 100})};
  });
  const Function& turn = graph.add_function("turn", all, [&](Graph&, const std::vector<Output>& a) {
    const Output even = make("Equal", {make("FloorMod", {a[0], 2}), 0});
    return std::vector<Output>{a[0] + 1, if_op(even, {a[1], a[2]}, grow, shrink)[0], a[2]};
  });
  const Output start = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{1000}}});
  const Output out = while_op(
      {make(graph, "Const", {}, {{"dtype", DType::Int32}, {"value", Tensor(0)}}), start, v.ref()}, more, turn)[1];
  Session session(graph, {.threads = 1});
  session.run(v.initializer());
  const Callable call = session.make_callable({out}, {start});
  const std::vector<Tensor> zeros{Tensor::zeros(DType::Float, {1000})};
  expect_results_only([&] { return call(zeros); }, "callable");
}

struct Case {
  const char* model;
  const char* optimizer;
  Shape image;
  int64_t batch;
};

class SecondRunOf : public ::testing::TestWithParam<Case> {};

TEST_P(SecondRunOf, ATrainingStep) {
  const Case& c = GetParam();
  for (const auto& [threads, deterministic] : {std::pair{1, false}, {2, false}, {2, true}}) {
    if (threads == 2 && !deterministic && c.batch < 8) continue;  // nothing that the others do not try
    SmallModel small(c.model, c.optimizer, c.image, c.batch);
    Session session(small.graph, {.threads = threads, .deterministic = deterministic});
    session.run(small.initializer);
    const train::Model& model = small.model;
    const Fetches fetches = {model.train_op, model.loss, model.correct};
    const Feeds feeds = small.feeds();
    expect_results_only([&] { return session.run(fetches, feeds); }, "run");
    const Callable call = session.make_callable(fetches, {model.images, model.labels, model.training});
    const std::vector<Tensor> values = {small.images, small.labels, Tensor(true)};
    expect_results_only([&] { return call(values); }, "callable");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SecondRunOf,
                         ::testing::Values(Case{"mlp", "momentum", {28, 28, 1}, 16},
                                           Case{"lenet", "adam", {28, 28, 1}, 8},
                                           Case{"resnet18", "momentum", {8, 8, 3}, 2}),
                         [](const auto& model) { return std::string(model.param.model); });

}  // namespace
}  // namespace vf::testing
