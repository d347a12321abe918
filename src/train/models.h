#pragma once
// The networks that `varflow train` knows, as graphs with a loss, an accuracy and an optimizer.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "varflow/graph.h"
#include "varflow/train.h"
#include "varflow/trainer.h"
#include "varflow/variables.h"

namespace vf::train {

struct Model {
  Output images;        // placeholder [batch, height, width, channels], 0 to 1
  Output labels;        // placeholder [batch], int32
  Output training;      // placeholder, bool; fed true where dropout acts
  Output loss;          // mean cross entropy
  Output correct;       // number of right answers in training, float
  Output test_correct;  // ... with what only evaluation has: moving averages in place of the batch's
  Output predictions;   // [batch], int64, as test_correct counts them
  Node* train_op = nullptr;
  std::unique_ptr<Optimizer> optimizer;
  std::vector<Variable> kernels;  // convolutions and dense layers, first layer first
};

// Builds the model in the graph. InvalidArgument for a model or an optimizer that is unknown, NotFound for its file.
Model make_model(Graph& graph, const ModelOptions& options, const Shape& image_shape, int classes);

// The logits of ResNet-18 for small images: a stem of 3x3, eight blocks of two convolutions, batch normalization.
// images [batch, height, width, channels] of any size. In training the updates of the moving averages join
// "update_ops". `kernel` gives the initializers in the order of creation; by default the scope's, else glorot_uniform.
Output resnet18(const Output& images, int64_t classes, bool training, const std::function<Initializer()>& kernel = {});

}  // namespace vf::train
