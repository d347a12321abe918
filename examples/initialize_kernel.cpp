// A kernel that starts from values of your own: pretrained weights from a NumPy file.
#include <cstdio>

#include "varflow/varflow.h"

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "pretrained_kernel.npy";
  // Stands for weights that you have: shape (3, 3, 3, 64).
  vf::Tensor pretrained(vf::DType::Float, {3, 3, 3, 64});
  for (int i = 0; i < 3 * 3 * 3 * 64; ++i) pretrained.data<float>()[i] = 0.001F * static_cast<float>(i);
  vf::write_npy(path, pretrained);

  vf::Graph graph;
  const vf::Variable kernel =
      vf::get_variable(graph, "conv1/kernel", {3, 3, 3, 64}, {.initializer = vf::from_npy(path)});
  vf::Session session(graph);
  session.run(vf::global_variables_initializer(graph));

  const vf::Tensor value = session.run(kernel);
  std::printf("%s %s\n", kernel.name().c_str(), value.str(4).c_str());
  return value.values<float>()[1727] == pretrained.values<float>()[1727] ? 0 : 1;
}
