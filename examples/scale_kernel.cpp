// A kernel that an op of the graph scales every 10 epochs.
#include <cstdio>

#include "varflow/varflow.h"

int main() {
  vf::Graph graph;
  graph.set_random_seed(1);
  const vf::Variable kernel = vf::get_variable(graph, "conv1/kernel", {3, 3, 3, 64});
  const vf::Output update_kernel = vf::assign(kernel, vf::multiply(kernel, 0.9F));

  vf::Session session(graph);
  session.run(vf::global_variables_initializer(graph));
  const vf::Tensor first = session.run(kernel);
  for (int epoch = 0; epoch < 21; ++epoch) {
    // ... the training steps of the epoch ...
    if (epoch % 10 == 0) {
      const vf::Tensor scaled = session.run(update_kernel);
      std::printf("epoch %2d: kernel[0] = %.6f\n", epoch, scaled.values<float>()[0]);
    }
  }
  // The op is one node of the graph, however often it ran; what was fetched before has not moved.
  const float expected = first.values<float>()[0] * 0.9F * 0.9F * 0.9F;
  return session.run(kernel).values<float>()[0] == expected ? 0 : 1;
}
