#pragma once
// A network of `varflow train` with a batch made by formula, for tests that need a real step and no data.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "train/models.h"
#include "varflow/gradients.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf::testing {

struct SmallModel {
  SmallModel(const std::string& name, const std::string& optimizer, const Shape& image, int64_t batch) {
    train::ModelOptions options;
    options.name = name;
    options.optimizer = optimizer;
    options.first_kernel = "";
    model = train::make_model(graph, options, image, 10);
    initializer = global_variables_initializer(graph);
    Shape shape{batch};
    for (int64_t d : image.dims()) shape.add_dim(d);
    images = Tensor(DType::Float, shape);
    for (int64_t i = 0; i < images.num_elements(); ++i) {  // strokes on nothing, as digits are
      const double wave = std::sin(0.37 * static_cast<double>(i % 977)) * std::cos(0.011 * static_cast<double>(i));
      images.data<float>()[i] = static_cast<float>(std::max(0.0, wave));
    }
    labels = Tensor(DType::Int32, {batch});
    for (int64_t i = 0; i < batch; ++i) labels.data<int32_t>()[i] = static_cast<int32_t>(i * 7 % 10);
  }

  // Dropout acts with `training`.
  Feeds feeds(bool training = true) const {
    return {{model.images, images}, {model.labels, labels}, {model.training, Tensor(training)}};
  }
  // Of the loss, for each trainable variable.
  std::vector<Output> gradients() {
    std::vector<Output> xs;
    for (const Variable& v : trainable_variables(graph)) xs.push_back(v.ref());
    return vf::gradients({model.loss}, xs);
  }

  Graph graph;
  train::Model model;
  Node* initializer = nullptr;
  Tensor images;
  Tensor labels;
};

// Every bit of the tensors, one after the other.
inline std::string bits(const std::vector<Tensor>& tensors) {
  std::string s;
  for (const Tensor& t : tensors)
    if (t.valid()) s.append(static_cast<const char*>(t.raw()), t.bytes());
  return s;
}

}  // namespace vf::testing
