// Train, save, and answer from a second session on two threads.
#include <cstdio>
#include <thread>

#include "varflow/varflow.h"

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  vf::Graph graph;
  graph.set_random_seed(1);
  const vf::Output x = vf::placeholder(graph, vf::DType::Float, {-1, 2}, "x");
  const vf::Output y = vf::placeholder(graph, vf::DType::Float, {-1, 1}, "y");
  const vf::Variable kernel = vf::get_variable(graph, "kernel", {2, 1});
  const vf::Variable bias = vf::get_variable(graph, "bias", {1}, {.initializer = vf::zeros_initializer()});
  const vf::Output prediction = vf::matmul(x, kernel) + bias;
  const vf::Output loss = vf::reduce_mean(vf::square(prediction - y), {0, 1});
  vf::MomentumOptimizer optimizer(0.1F, 0.9F);
  vf::Node* train_op = optimizer.minimize(loss);
  vf::Saver saver(graph);

  // y = 2 a - b + 1 on the corners of a square.
  const vf::Tensor inputs = vf::Tensor::of<float>({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1});
  const vf::Tensor targets = vf::Tensor::of<float>({4, 1}, {1, 0, 3, 2});
  vf::Session training(graph);
  training.run(vf::global_variables_initializer(graph));
  for (int step = 0; step < 300; ++step) training.run({train_op}, {{x, inputs}, {y, targets}});
  const std::string checkpoint = saver.save(training, folder + "/linear", 300);
  std::printf("saved %s, loss %.2g\n", checkpoint.c_str(),
              training.run(loss, {{x, inputs}, {y, targets}}).item<float>());

  vf::Session serving(graph);
  saver.restore(serving, checkpoint);
  float answers[2] = {};
  std::thread threads[2];
  for (int i = 0; i < 2; ++i)
    threads[i] = std::thread([&, i] {
      const vf::Tensor question = vf::Tensor::of<float>({1, 2}, {static_cast<float>(i + 2), 1});
      answers[i] = serving.run(prediction, {{x, question}}).item<float>();
    });
  for (std::thread& t : threads) t.join();
  std::printf("f(2, 1) = %.3f, f(3, 1) = %.3f\n", answers[0], answers[1]);
  return answers[0] > 3.99F && answers[0] < 4.01F && answers[1] > 5.99F && answers[1] < 6.01F ? 0 : 1;
}
