#pragma once
#include "varflow/op.h"

namespace vf {

void register_source_ops(OpRegistry& r);    // Const, Placeholder, Identity, NoOp, ...
void register_shape_ops(OpRegistry& r);     // Shape, Size, Rank, Reshape, ExpandDims, Squeeze, BroadcastGradientArgs
void register_filling_ops(OpRegistry& r);   // Fill, ZerosLike, OnesLike, Range

}  // namespace vf
