#pragma once
// Short names for the nodes that gradient functions build most.
#include <initializer_list>
#include <utility>

#include "varflow/op.h"

namespace vf {

// Those of the forward node's attributes that its gradient's op takes as they are.
inline AttrMap same_attrs(const Node& node, std::initializer_list<const char*> names) {
  AttrMap attrs;
  for (const char* name : names)
    if (const AttrValue* v = node.attrs().find(name)) attrs.set(name, *v);
  return attrs;
}

class GradientBuilder {
 public:
  explicit GradientBuilder(GradientContext& context) : g_(context) {}

  Output add(Operand a, Operand b) const { return g_.make("AddV2", {std::move(a), std::move(b)}); }
  Output sub(Operand a, Operand b) const { return g_.make("Sub", {std::move(a), std::move(b)}); }
  Output mul(Operand a, Operand b) const { return g_.make("Mul", {std::move(a), std::move(b)}); }
  Output div(Operand a, Operand b) const { return g_.make("RealDiv", {std::move(a), std::move(b)}); }
  Output neg(Operand a) const { return g_.make("Neg", {std::move(a)}); }
  Output square(Operand a) const { return g_.make("Square", {std::move(a)}); }
  Output reciprocal(Operand a) const { return g_.make("Reciprocal", {std::move(a)}); }
  Output zeros_like(Operand a) const { return g_.make("ZerosLike", {std::move(a)}); }
  Output shape(Operand a) const { return g_.make("Shape", {std::move(a)}); }
  Output reshape(Operand a, Operand shape) const { return g_.make("Reshape", {std::move(a), std::move(shape)}); }
  Output select(Operand condition, Operand a, Operand b) const {
    return g_.make("SelectV2", {std::move(condition), std::move(a), std::move(b)});
  }
  Output cast(Output a, DType to) const { return a.dtype() == to ? a : g_.make("Cast", {a}, {{"DstT", to}}); }
  // A number that is no float exactly, in the dtype of `like`.
  static Operand number(double value, const Output& like) { return Tensor(value).cast(like.dtype()); }

 private:
  GradientContext& g_;
};

}  // namespace vf
