// A kernel that a computed adjustment is subtracted from after every epoch.
#include <cmath>
#include <cstdio>

#include "varflow/varflow.h"

int main() {
  vf::Graph graph;
  const vf::Variable kernel =
      vf::get_variable(graph, "conv1/kernel", {3, 3, 3, 64}, {.initializer = vf::zeros_initializer()});
  const vf::Output adjustment = vf::random_normal(graph, kernel.shape(), {.seed = 7});
  const vf::Output update_kernel = vf::assign_sub(kernel, adjustment);

  vf::Session session(graph);
  session.run(vf::global_variables_initializer(graph));
  for (int epoch = 0; epoch < 4; ++epoch) {
    // ... the training steps of the epoch ...
    session.run(update_kernel);
    double squares = 0;
    const vf::Tensor value = session.run(kernel);
    for (float w : value.values<float>()) squares += static_cast<double>(w) * w;
    // New numbers each time: after n of them the deviation is sqrt(n).
    const double deviation = std::sqrt(squares / 1728);
    std::printf("epoch %d: deviation %.3f\n", epoch, deviation);
    if (std::abs(deviation - std::sqrt(epoch + 1.0)) > 0.15) return 1;
  }
  return 0;
}
