#pragma once
// The models of tests/golden/training_models.py, built with Varflow's own builders, and their sessions.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "golden_steps.h"
#include "varflow/session.h"
#include "varflow/train.h"

namespace vf::golden {

struct GoldenModel {
  // "lenet", "mlp" or "resnet18", of the recorded seeds, sizes and hyperparameters.
  explicit GoldenModel(const Training& training, int64_t graph_seed = 1);

  // The batch of a step: digits, or the formula's.
  Feeds batch(int64_t step) const;
  // A new session with the variables as they start.
  std::unique_ptr<Session> start() const;
  // ... and one just before a recorded step: its variables and slots are set, each random op has run `draws` times.
  // Throws where an initializer's values are not TensorFlow's to the bit.
  std::unique_ptr<Session> before(const Step& step) const;

  // LeNet without dropout, on the same variables.
  Output test_logits(const Output& test_images) const;

  // Session::run takes the graph of a model that does not change.
  std::unique_ptr<Graph> graph = std::make_unique<Graph>();
  std::unique_ptr<Optimizer> optimizer;
  Output images;
  Output labels;
  Output loss;
  Output random;  // null where the model draws no numbers
  std::vector<Optimizer::GradientAndVariable> gradients;
  Node* train = nullptr;
  std::map<std::string, vf::Variable> variables;
  std::map<std::string, vf::Variable> slots;  // by the variable's name

 private:
  bool digits_ = false;
  Tensor digit_images_;
  Tensor digit_labels_;
};

}  // namespace vf::golden
