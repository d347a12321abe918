// What a run costs through the public API: small changes of a kernel, and whole training steps. Each checks its answer.
#include <benchmark/benchmark.h>

#include <cmath>

#include "varflow/varflow.h"

namespace {

// kernel *= 0.9 on 3x3x3x64, by Session::run or by a prepared run.
void scale_kernel(benchmark::State& state, bool prepared) {
  vf::Graph graph;
  const vf::Variable kernel = vf::get_variable(graph, "kernel", {3, 3, 3, 64}, {.initializer = vf::ones_initializer()});
  vf::Node* decay = vf::assign(kernel, kernel * 0.9F).node;
  vf::Session session(graph);
  session.run({kernel.initializer()});
  session.run({decay});
  if (session.get(kernel).values<float>()[1727] != 0.9F) state.SkipWithError("wrong result");
  const vf::Callable callable = session.make_callable({decay});
  for (auto _ : state) {
    if (prepared)
      callable();
    else
      session.run({decay});
  }
}
BENCHMARK_CAPTURE(scale_kernel, run, false);
BENCHMARK_CAPTURE(scale_kernel, prepared, true);

// kernel -= normal() on the same.
void adjust_kernel(benchmark::State& state) {
  vf::Graph graph;
  const vf::Variable kernel =
      vf::get_variable(graph, "kernel", {3, 3, 3, 64}, {.initializer = vf::zeros_initializer()});
  vf::Node* adjust = vf::assign_sub(kernel, vf::random_normal(graph, kernel.shape(), {.seed = 1})).node;
  vf::Session session(graph);
  session.run({kernel.initializer()});
  for (auto _ : state) session.run({adjust});
  if (session.get(kernel).values<float>()[0] == 0) state.SkipWithError("wrong result");
}
BENCHMARK(adjust_kernel);

// One training step with momentum on a batch of 128 noise images; the loss must fall.
void training_step(benchmark::State& state, bool convolutions) {
  vf::Graph graph;
  graph.set_random_seed(1);
  const vf::Output images = vf::placeholder(graph, vf::DType::Float, {-1, 28, 28, 1});
  const vf::Output labels = vf::placeholder(graph, vf::DType::Int32, {-1});
  vf::Output x = images;
  if (convolutions) {
    for (const int filters : {32, 64}) {
      x = vf::convolution_layer(x, filters, "conv" + std::to_string(filters),
                                {.kernel_size = 5, .activation = vf::Activation::Relu});
      x = vf::max_pool(x, 2, 2);
    }
    x = vf::dense_layer(vf::flatten(x), 512, "dense1", {.activation = vf::Activation::Relu});
  } else {
    x = vf::dense_layer(vf::flatten(x), 512, "dense1", {.activation = vf::Activation::Relu});
    x = vf::dense_layer(x, 512, "dense2", {.activation = vf::Activation::Relu});
  }
  const vf::Output loss = vf::mean_sparse_softmax_cross_entropy(labels, vf::dense_layer(x, 10, "logits"));
  vf::MomentumOptimizer optimizer(0.01F, 0.9F);
  vf::Node* train_op = optimizer.minimize(loss);
  vf::Session session(graph, {.threads = static_cast<int>(state.range(0))});
  session.run({vf::global_variables_initializer(graph)});
  vf::Tensor batch(vf::DType::Float, {128, 28, 28, 1});
  vf::Tensor classes(vf::DType::Int32, {128});
  for (int64_t i = 0; i < batch.num_elements(); ++i)
    batch.data<float>()[i] = static_cast<float>(std::abs(std::sin(static_cast<double>(i))));
  for (int i = 0; i < 128; ++i) classes.data<int32_t>()[i] = i % 10;
  const vf::Callable step = session.make_callable({loss, train_op}, {images, labels});
  const float first = step({batch, classes})[0].item<float>();
  float last = first;
  for (auto _ : state) last = step({batch, classes})[0].item<float>();
  if (!(last < first)) state.SkipWithError("the loss did not fall");
}
BENCHMARK_CAPTURE(training_step, mlp, false)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(training_step, lenet, true)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
