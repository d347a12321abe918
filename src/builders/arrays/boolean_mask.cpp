#include "varflow/array_functions.h"

namespace vf {
namespace {

// The tensor with `count` dimensions from `axis` on as one.
Output merged(const Output& tensor, int axis, int count) {
  const Shape& shape = tensor.shape();
  if (count == 1) return tensor;
  if (shape.fully_defined()) {
    Shape flat;
    for (int i = 0; i < shape.rank(); ++i) {
      if (i > axis && i < axis + count)
        flat.set_dim(axis, flat[axis] * shape[i]);
      else
        flat.add_dim(shape[i]);
    }
    return make("Reshape", {tensor, flat});
  }
  const Output sizes = make("Shape", {tensor});
  const auto part = [&](int begin, int end, bool to_end) {
    return make("StridedSlice", {sizes, {begin}, {end}, {1}},
                {{"begin_mask", begin == 0 ? 1 : 0}, {"end_mask", to_end ? 1 : 0}});
  };
  const Output one = make("Prod", {part(axis, axis + count, false), {0}});
  return make("Reshape",
              {tensor, make("ConcatV2", {part(0, axis, false), make("Pack", {one}), part(axis + count, 0, true), 0})});
}

}  // namespace

Output boolean_mask(const Output& tensor, const Operand& mask_operand, int axis, const std::string& name) {
  Graph& graph = tensor.graph();
  const NameScope scope(graph, name);
  const Output mask =
      mask_operand.is_output()
          ? mask_operand.output()
          : make(graph, "Const", {}, {{"dtype", mask_operand.literal().dtype()}, {"value", mask_operand.literal()}},
                 "mask");
  if (!mask.shape().has_rank())
    throw Error(Code::InvalidArgument,
                "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. shape=[None] is "
                "ok, but shape=None is not.");
  const int masked = mask.shape().rank();
  if (masked == 0) throw Error(Code::InvalidArgument, "mask cannot be scalar.");
  const Shape& shape = tensor.shape();
  if (axis < 0 && shape.has_rank()) axis += shape.rank();
  if (axis < 0)
    throw Error(Code::InvalidArgument, "boolean_mask: the axis " + std::to_string(axis) + " is out of range");
  if (shape.has_rank()) {
    if (axis + masked > shape.rank())
      throw Error(Code::InvalidArgument, "boolean_mask: a mask of rank " + std::to_string(masked) + " from axis " +
                                             std::to_string(axis) + " does not fit " + shape.python_str());
    for (int i = 0; i < masked; ++i)
      if (shape[axis + i] >= 0 && mask.shape()[i] >= 0 && shape[axis + i] != mask.shape()[i])
        throw Error(Code::InvalidArgument,
                    "Shapes " + shape.python_str() + " and " + mask.shape().python_str() + " are incompatible");
  }
  const Output places =
      make("Squeeze", {make("Where", {make("Reshape", {mask, {-1}})})}, {{"squeeze_dims", std::vector<int64_t>{1}}});
  return make("GatherV2", {merged(tensor, axis, masked), places, axis});
}

}  // namespace vf
