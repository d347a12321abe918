// TensorFlow's random functions: an op that draws, and the nodes that scale what it drew.
#include <cmath>

#include "varflow/initializers.h"

namespace vf {

Output constant(Graph& graph, const Tensor& value, const std::string& name) {
  return NodeBuilder(graph, "Const").name(name).attr("dtype", value.dtype()).attr("value", value).output();
}

Output placeholder(Graph& graph, DType dtype, const Shape& shape, const std::string& name) {
  return NodeBuilder(graph, "Placeholder").name(name).attr("dtype", dtype).attr("shape", shape).output();
}

namespace {

Output scalar(Graph& graph, double value, DType dtype, const char* name) {
  return constant(graph, Tensor(value).cast(dtype), name);
}

Output shape_node(Graph& graph, const Operand& shape) {
  return shape.is_output() ? shape.output() : constant(graph, shape.literal(), "shape");
}

Output draw(Graph& graph, const char* op, const Output& shape, DType dtype, const std::optional<int64_t>& seed) {
  const auto [a, b] = graph.op_seeds(seed ? &*seed : nullptr);
  return make(graph, op, {shape}, {{"dtype", dtype}, {"seed", a}, {"seed2", b}});
}

Output normal(Graph& graph, const Operand& shape, const RandomNormalOptions& o, const char* op, const char* name) {
  const NameScope scope(graph, o.name.empty() ? name : o.name);
  const Output s = shape_node(graph, shape);
  const Output mean = scalar(graph, o.mean, o.dtype, "mean");
  const Output stddev = scalar(graph, o.stddev, o.dtype, "stddev");
  const Output drawn = draw(graph, op, s, o.dtype, o.seed);
  return make("AddV2", {make("Mul", {drawn, stddev}, {}, "mul"), mean}, {}, scope.name());
}

}  // namespace

Output random_normal(Graph& graph, const Operand& shape, RandomNormalOptions options) {
  return normal(graph, shape, options, "RandomStandardNormal", "random_normal");
}

Output truncated_normal(Graph& graph, const Operand& shape, RandomNormalOptions options) {
  return normal(graph, shape, options, "TruncatedNormal", "truncated_normal");
}

Output random_uniform(Graph& graph, const Operand& shape, RandomUniformOptions o) {
  const NameScope scope(graph, o.name.empty() ? "random_uniform" : o.name);
  const Output s = shape_node(graph, shape);
  if (o.minval == 0 && o.maxval == 1) return draw(graph, "RandomUniform", s, o.dtype, o.seed);
  const Output low = scalar(graph, o.minval, o.dtype, "min");
  const Output high = scalar(graph, o.maxval, o.dtype, "max");
  const Output drawn = draw(graph, "RandomUniform", s, o.dtype, o.seed);
  const Output range = make("Sub", {high, low}, {}, "sub");
  return make("AddV2", {make("Mul", {drawn, range}, {}, "mul"), low}, {}, scope.name());
}

Output dropout(const Output& x, double rate, DropoutOptions options) {
  if (!(rate >= 0 && rate < 1))
    throw Error(
        Code::InvalidArgument,
        "`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate=" + std::to_string(rate));
  if (!is_floating(x.dtype()))
    throw Error(Code::InvalidArgument,
                "`x` has to be a floating point tensor since it's going to be scaled. Received " +
                    std::string(dtype_python_name(x.dtype())));
  if (rate == 0) return x;
  Graph& graph = x.graph();
  const NameScope scope(graph, options.name);
  const Output scale = scalar(graph, 1 / (1 - rate), x.dtype(), "Const");
  const Output scaled = make("Mul", {x, scale});
  const Output shape = make("Shape", {x});
  const Output drawn = random_uniform(graph, shape, {.dtype = x.dtype(), .seed = options.seed});
  const Output threshold = scalar(graph, rate, x.dtype(), "GreaterEqual/y");
  const Output keep = make("GreaterEqual", {drawn, threshold});
  const Output zero = scalar(graph, 0, x.dtype(), "Const");
  return make("SelectV2", {keep, scaled, zero});
}

}  // namespace vf
