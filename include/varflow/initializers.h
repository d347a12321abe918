#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

// Makes the nodes of an initial value in the current name scope.
using Initializer = std::function<Output(Graph& graph, const Shape& shape, DType dtype)>;

struct SeedOptions {
  std::optional<int64_t> seed = {};  // of the op; TensorFlow's rules say what becomes of it beside the graph's seed
};
struct NormalOptions {
  double mean = 0;
  double stddev = 1;
  std::optional<int64_t> seed = {};
};
struct UniformOptions {
  double minval = 0;
  double maxval = 1;
  std::optional<int64_t> seed = {};
};
enum class FanMode { In, Out, Average };
enum class ScalingDistribution { TruncatedNormal, UntruncatedNormal, Uniform };
struct VarianceScalingOptions {
  double scale = 1;
  FanMode mode = FanMode::In;
  ScalingDistribution distribution = ScalingDistribution::TruncatedNormal;
  std::optional<int64_t> seed = {};
};

VF_API Initializer zeros_initializer();
VF_API Initializer ones_initializer();
// One value for all elements, or a tensor of as many elements as the variable has.
VF_API Initializer constant_initializer(Tensor value);
VF_API Initializer random_normal_initializer(NormalOptions options = {});
VF_API Initializer truncated_normal_initializer(NormalOptions options = {});
VF_API Initializer random_uniform_initializer(UniformOptions options = {});
VF_API Initializer variance_scaling_initializer(VarianceScalingOptions options = {});
VF_API Initializer glorot_uniform_initializer(SeedOptions options = {});
VF_API Initializer glorot_normal_initializer(SeedOptions options = {});
VF_API Initializer he_uniform_initializer(SeedOptions options = {});
VF_API Initializer he_normal_initializer(SeedOptions options = {});
VF_API Initializer lecun_uniform_initializer(SeedOptions options = {});
VF_API Initializer lecun_normal_initializer(SeedOptions options = {});
// Pretrained values from a NumPy file; InvalidArgument unless it has the variable's shape. Read when the variable is
// made.
VF_API Initializer from_npy(std::string path);
// ... from a tensor of a TensorFlow checkpoint; by default of the variable's own name.
VF_API Initializer from_checkpoint(std::string prefix, std::string tensor_name);

// TensorFlow's random functions, with its nodes and its numbers.
struct RandomNormalOptions {
  double mean = 0;
  double stddev = 1;
  DType dtype = DType::Float;
  std::optional<int64_t> seed = {};
  std::string name = {};
};
struct RandomUniformOptions {
  double minval = 0;
  double maxval = 1;
  DType dtype = DType::Float;
  std::optional<int64_t> seed = {};
  std::string name = {};
};
VF_API Output random_normal(Graph& graph, const Operand& shape, RandomNormalOptions options = {});
VF_API Output truncated_normal(Graph& graph, const Operand& shape, RandomNormalOptions options = {});
VF_API Output random_uniform(Graph& graph, const Operand& shape, RandomUniformOptions options = {});

struct DropoutOptions {
  std::optional<int64_t> seed = {};
  std::string name = "dropout";
};
// Sets each element to 0 with probability `rate` and scales the rest by 1 / (1 - rate). A rate of 0 gives x itself.
VF_API Output dropout(const Output& x, double rate, DropoutOptions options = {});

// A constant node.
VF_API Output constant(Graph& graph, const Tensor& value, const std::string& name = "Const");
// A value that each run must feed.
VF_API Output placeholder(Graph& graph, DType dtype, const Shape& shape = Shape::unknown(),
                          const std::string& name = "Placeholder");

}  // namespace vf
