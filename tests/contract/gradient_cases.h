#pragma once
// Reads tests/golden/gradients.txt: single ops with real TensorFlow's outputs and gradients. make_gradients.py beside
// it made them and says what the lines mean.
#include <string>
#include <utility>
#include <vector>

#include "varflow/attr.h"
#include "varflow/tensor.h"

namespace vf::testing {

struct NamedTensor {
  std::string name;  // of the signature's argument; those of a list have the same name
  Tensor value;      // invalid: TensorFlow has no gradient for this input
};

struct GradientCase {
  std::string name;
  std::string op;
  AttrMap attrs;
  std::vector<NamedTensor> inputs;
  std::vector<NamedTensor> outputs;           // the first of the node
  std::vector<NamedTensor> output_gradients;  // of some outputs, in their order
  std::vector<NamedTensor> gradients;         // of the floating inputs, in their order; none where nothing flows back
  bool no_gradient = false;                   // the op has no gradient in TensorFlow
};

// Throws std::runtime_error, naming the line, for a file that is missing or malformed.
std::vector<GradientCase> read_gradient_cases(const std::string& path);

}  // namespace vf::testing
