#pragma once
// The networks that `varflow train` knows, as graphs with a loss, an accuracy and an optimizer.
#include <memory>
#include <string>
#include <vector>

#include "varflow/graph.h"
#include "varflow/train.h"
#include "varflow/trainer.h"
#include "varflow/variables.h"

namespace vf::train {

struct Model {
  Output images;       // placeholder [batch, height, width, channels], 0 to 1
  Output labels;       // placeholder [batch], int32
  Output training;     // placeholder, bool; fed true where dropout acts
  Output loss;         // mean cross entropy
  Output correct;      // number of right answers, float
  Output predictions;  // [batch], int64
  Node* train_op = nullptr;
  std::unique_ptr<Optimizer> optimizer;
  std::vector<Variable> kernels;  // convolutions and dense layers, first layer first
};

// Builds the model in the graph. InvalidArgument for a model or an optimizer that is unknown, NotFound for its file.
Model make_model(Graph& graph, const ModelOptions& options, const Shape& image_shape, int classes);

}  // namespace vf::train
