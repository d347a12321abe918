#pragma once
// Softmax and cross entropy over the last axis of [rows, columns], in float, double, half and bfloat16 (these two are
// computed in float and rounded once). Same bits on every instruction set and number of threads. A row with a NaN, with
// an infinity or of -infinities alone gives NaN. Without columns nothing is written.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// y = exp(x - max) / sum(exp(x - max)); y may be x. Unimplemented for other dtypes, here and below.
void softmax(DType dtype, const void* x, void* y, int64_t rows, int64_t columns, int threads, Isa isa = active_isa());
// y = (x - max) - log(sum(exp(x - max))); y may be x.
void log_softmax(DType dtype, const void* x, void* y, int64_t rows, int64_t columns, int threads,
                 Isa isa = active_isa());

// labels: Int32 or Int64 [rows]. loss: [rows], the negative logarithm of the label's probability; backprop: [rows,
// columns], softmax minus 1 at the label, may be logits; either may be null. Returns the first row whose label is
// outside [0, columns), having written nothing, or -1.
int64_t sparse_softmax_cross_entropy(DType dtype, DType label_dtype, const void* logits, const void* labels, void* loss,
                                     void* backprop, int64_t rows, int64_t columns, int threads,
                                     Isa isa = active_isa());

// labels: of the same dtype and shape as logits. loss: [rows], sum(labels * (log(sum(exp(x - max))) - (x - max)));
// backprop: [rows, columns], softmax - labels, may be logits or labels; either may be null.
void softmax_cross_entropy(DType dtype, const void* logits, const void* labels, void* loss, void* backprop,
                           int64_t rows, int64_t columns, int threads, Isa isa = active_isa());

}  // namespace vf::cpu
