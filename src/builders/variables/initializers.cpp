#include "varflow/initializers.h"

#include <algorithm>
#include <cmath>

#include "varflow/arrays.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

// From so many elements on TensorFlow fills instead of storing a constant.
constexpr int64_t kLargestConstant = 1000;

// As many elements as the shape has, the last value again and again where there are fewer.
Tensor repeated(const Tensor& values, const Shape& shape) {
  Tensor all(values.dtype(), shape);
  const size_t size = dtype_size(values.dtype());
  for (int64_t i = 0; i < all.num_elements(); ++i) {
    const auto from = static_cast<size_t>(std::min(i, values.num_elements() - 1)) * size;
    std::copy_n(static_cast<const char*>(values.raw()) + from, size,
                static_cast<char*>(all.raw()) + static_cast<size_t>(i) * size);
  }
  return all;
}

Initializer filled(int value, const char* name) {
  return [=](Graph& graph, const Shape& shape, DType dtype) -> Output {
    if (dtype == DType::String) return constant(graph, Tensor(dtype, shape), name);
    const Tensor scalar = Tensor(value).cast(dtype);
    if (shape.num_elements() < kLargestConstant) return constant(graph, repeated(scalar, shape), name);
    const NameScope scope(graph, name);
    const Output sizes = constant(graph, Operand(shape).literal(), "shape_as_tensor");
    return make("Fill", {sizes, constant(graph, scalar, "Const")}, {}, scope.name());
  };
}

std::pair<double, double> fans(const Shape& shape) {
  if (shape.rank() == 0) return {1, 1};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double receptive = 1;
  for (int i = 0; i + 2 < shape.rank(); ++i) receptive *= static_cast<double>(shape[i]);
  return {static_cast<double>(shape.dim(-2)) * receptive, static_cast<double>(shape.dim(-1)) * receptive};
}

// A stored tensor in place of a drawn one.
Output stored(Graph& graph, const Tensor& value, const Shape& shape, DType dtype, const std::string& from) {
  if (!(value.shape() == shape))
    throw Error(Code::InvalidArgument,
                from + " has the shape " + value.shape().str() + ", the variable " + shape.str());
  if (value.dtype() != dtype)
    throw Error(Code::InvalidArgument,
                from + " is " + dtype_python_name(value.dtype()) + ", the variable " + dtype_python_name(dtype));
  return constant(graph, value, "initial_value");
}

}  // namespace

Initializer zeros_initializer() { return filled(0, "zeros"); }

Initializer ones_initializer() { return filled(1, "ones"); }

Initializer constant_initializer(Tensor value) {
  return [value](Graph& graph, const Shape& shape, DType dtype) -> Output {
    const Tensor v = value.cast(dtype);
    const int64_t n = shape.num_elements();
    if (v.num_elements() > n)
      throw Error(Code::InvalidArgument, "Too many elements provided. Takes at most " + std::to_string(n) +
                                             ", but got " + std::to_string(v.num_elements()) + ".");
    if (v.num_elements() == 0 && n > 0) throw Error(Code::InvalidArgument, "a constant initializer without a value");
    return constant(graph, repeated(v, shape), "Const");
  };
}

Initializer random_normal_initializer(NormalOptions o) {
  return [o](Graph& graph, const Shape& shape, DType dtype) {
    return random_normal(graph, shape, {.mean = o.mean, .stddev = o.stddev, .dtype = dtype, .seed = o.seed});
  };
}

Initializer truncated_normal_initializer(NormalOptions o) {
  return [o](Graph& graph, const Shape& shape, DType dtype) {
    return truncated_normal(graph, shape, {.mean = o.mean, .stddev = o.stddev, .dtype = dtype, .seed = o.seed});
  };
}

Initializer random_uniform_initializer(UniformOptions o) {
  return [o](Graph& graph, const Shape& shape, DType dtype) {
    return random_uniform(graph, shape, {.minval = o.minval, .maxval = o.maxval, .dtype = dtype, .seed = o.seed});
  };
}

Initializer variance_scaling_initializer(VarianceScalingOptions o) {
  if (!(o.scale > 0)) throw Error(Code::InvalidArgument, "`scale` must be positive float.");
  return [o](Graph& graph, const Shape& shape, DType dtype) {
    const auto [in, out] = fans(shape);
    const double n = o.mode == FanMode::In ? in : o.mode == FanMode::Out ? out : (in + out) / 2;
    const double variance = o.scale / std::max(1.0, n);
    constexpr double kTruncation = 0.87962566103423978;  // deviation of a normal that is cut at 2
    if (o.distribution == ScalingDistribution::TruncatedNormal)
      return truncated_normal(graph, shape,
                              {.stddev = std::sqrt(variance) / kTruncation, .dtype = dtype, .seed = o.seed});
    if (o.distribution == ScalingDistribution::UntruncatedNormal)
      return random_normal(graph, shape, {.stddev = std::sqrt(variance), .dtype = dtype, .seed = o.seed});
    const double limit = std::sqrt(3 * variance);
    return random_uniform(graph, shape, {.minval = -limit, .maxval = limit, .dtype = dtype, .seed = o.seed});
  };
}

Initializer glorot_uniform_initializer(SeedOptions o) {
  return variance_scaling_initializer({1, FanMode::Average, ScalingDistribution::Uniform, o.seed});
}
Initializer glorot_normal_initializer(SeedOptions o) {
  return variance_scaling_initializer({1, FanMode::Average, ScalingDistribution::TruncatedNormal, o.seed});
}
Initializer he_uniform_initializer(SeedOptions o) {
  return variance_scaling_initializer({2, FanMode::In, ScalingDistribution::Uniform, o.seed});
}
Initializer he_normal_initializer(SeedOptions o) {
  return variance_scaling_initializer({2, FanMode::In, ScalingDistribution::TruncatedNormal, o.seed});
}
Initializer lecun_uniform_initializer(SeedOptions o) {
  return variance_scaling_initializer({1, FanMode::In, ScalingDistribution::Uniform, o.seed});
}
Initializer lecun_normal_initializer(SeedOptions o) {
  return variance_scaling_initializer({1, FanMode::In, ScalingDistribution::TruncatedNormal, o.seed});
}

Initializer from_npy(std::string path) {
  return [path](Graph& graph, const Shape& shape, DType dtype) {
    return stored(graph, read_npy(path), shape, dtype, path);
  };
}

Initializer from_checkpoint(std::string prefix, std::string tensor_name) {
  return [prefix, tensor_name](Graph& graph, const Shape& shape, DType dtype) {
    return stored(graph, CheckpointReader(prefix).read(tensor_name), shape, dtype, prefix + ": " + tensor_name);
  };
}

}  // namespace vf
