#pragma once
#include "varflow/op.h"

namespace vf {

void register_source_ops(OpRegistry& r);     // Const, Placeholder, Identity, NoOp, ...
void register_shape_ops(OpRegistry& r);      // Shape, Size, Rank, Reshape, ExpandDims, Squeeze, BroadcastGradientArgs
void register_filling_ops(OpRegistry& r);    // Fill, ZerosLike, OnesLike, Range
void register_joining_ops(OpRegistry& r);    // Pack, Unpack, ConcatV2, ConcatOffset
void register_splitting_ops(OpRegistry& r);  // Split, SplitV
void register_slicing_ops(OpRegistry& r);    // Slice, StridedSlice, StridedSliceGrad
void register_padding_ops(OpRegistry& r);    // Pad, PadV2, MirrorPad, MirrorPadGrad
void register_permuting_ops(OpRegistry& r);  // Transpose, InvertPermutation, ReverseV2
void register_repeating_ops(OpRegistry& r);  // Tile, BroadcastTo
void register_gathering_ops(OpRegistry& r);  // Gather, GatherV2
void register_indexing_ops(OpRegistry& r);   // OneHot, DynamicStitch, ListDiff
void register_searching_ops(OpRegistry& r);  // Where, Unique, UniqueWithCounts

// The shape of a gather along `axis`; sizes may be unknown.
Shape gathered_shape(const Shape& params, const Shape& indices, int axis, int batch_dims);
// A gather from input 0 by input 1; nullptr where the dtypes have none.
std::unique_ptr<Kernel> gather_kernel(DType dtype, const Shape& params, DType index, const Shape& indices, int axis,
                                      int batch_dims, int threads);

}  // namespace vf
