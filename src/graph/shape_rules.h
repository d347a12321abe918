#pragma once
// Shape rules that several ops share.
#include "varflow/op.h"

namespace vf::shape_rule {

// Output 0 has the shape of input 0.
void unchanged(ShapeContext& c);
// Every output is a scalar.
void scalar(ShapeContext& c);
// No outputs, or handles whose shape says nothing.
void none(ShapeContext& c);
// Output 0 has NumPy's broadcast of inputs 0 and 1.
void broadcast(ShapeContext& c);
// All inputs merge to the shape of output 0.
void merged(ShapeContext& c);
// Output 0 has the shape that the attribute `shape` names.
void from_attr(ShapeContext& c);

// The shape that both describe; fails as the context does where they contradict.
Shape merge(ShapeContext& c, const Shape& a, const Shape& b);
// NumPy's broadcast of two shapes; sizes may be unknown.
Shape broadcast_shapes(ShapeContext& c, const Shape& a, const Shape& b);
// The shape that input i, a vector of sizes, describes; unknown where its value is.
Shape shape_from_input(ShapeContext& c, int i);

}  // namespace vf::shape_rule
