#include "cpu/softmax.h"

#include <algorithm>
#include <string>

#include "base/parallel.h"
#include "cpu/softmax_kernels.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(SoftmaxKernels, softmax_kernels)

namespace {

// Exponentials make a second thread pay earlier than plain arithmetic does.
constexpr int64_t kSoftmaxGrain = 4096;

void check(DType dtype) {
  if (!is_floating(dtype)) throw Error(Code::Unimplemented, std::string("no softmax of ") + dtype_name(dtype));
}

template <class F>
void each_rows(int64_t rows, int64_t columns, int threads, F&& f) {
  if (columns > 0) parallel_for(threads, rows, std::max<int64_t>(1, kSoftmaxGrain / columns), f);
}

template <class Byte>
Byte* offset(Byte* p, int64_t bytes) {
  return p ? p + bytes : nullptr;
}

// -1 or the first label out of range.
template <class T>
int64_t first_bad(const T* labels, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r)
    if (labels[r] < 0 || labels[r] >= columns) return r;
  return -1;
}

void softmax_of(bool logarithm, DType dtype, const void* x, void* y, int64_t rows, int64_t columns, int threads,
                Isa isa) {
  check(dtype);
  const SoftmaxKernels& kernels = softmax_kernels(isa);
  const int64_t bytes = columns * static_cast<int64_t>(dtype_size(dtype));
  each_rows(rows, columns, threads, [&](int64_t begin, int64_t end) {
    kernels.softmax(dtype, logarithm, static_cast<const char*>(x) + begin * bytes,
                    static_cast<char*>(y) + begin * bytes, end - begin, columns);
  });
}

}  // namespace

void softmax(DType dtype, const void* x, void* y, int64_t rows, int64_t columns, int threads, Isa isa) {
  softmax_of(false, dtype, x, y, rows, columns, threads, isa);
}

void log_softmax(DType dtype, const void* x, void* y, int64_t rows, int64_t columns, int threads, Isa isa) {
  softmax_of(true, dtype, x, y, rows, columns, threads, isa);
}

int64_t sparse_softmax_cross_entropy(DType dtype, DType label_dtype, const void* logits, const void* labels, void* loss,
                                     void* backprop, int64_t rows, int64_t columns, int threads, Isa isa) {
  check(dtype);
  const bool wide = label_dtype == DType::Int64;
  const auto* narrow_labels = static_cast<const int32_t*>(labels);
  const auto* wide_labels = static_cast<const int64_t*>(labels);
  const int64_t bad = wide ? first_bad(wide_labels, rows, columns) : first_bad(narrow_labels, rows, columns);
  if (bad >= 0) return bad;
  const SoftmaxKernels& kernels = softmax_kernels(isa);
  const auto size = static_cast<int64_t>(dtype_size(dtype));
  each_rows(rows, columns, threads, [&](int64_t begin, int64_t end) {
    constexpr int64_t kStep = 256;
    int64_t widened[kStep];
    for (int64_t at = begin; at < end; at += kStep) {
      const int64_t count = std::min(kStep, end - at);
      if (!wide) std::copy_n(narrow_labels + at, count, widened);
      kernels.cross_entropy(dtype, true, static_cast<const char*>(logits) + at * columns * size,
                            wide ? wide_labels + at : widened, offset(static_cast<char*>(loss), at * size),
                            offset(static_cast<char*>(backprop), at * columns * size), count, columns);
    }
  });
  return -1;
}

void softmax_cross_entropy(DType dtype, const void* logits, const void* labels, void* loss, void* backprop,
                           int64_t rows, int64_t columns, int threads, Isa isa) {
  check(dtype);
  const SoftmaxKernels& kernels = softmax_kernels(isa);
  const auto size = static_cast<int64_t>(dtype_size(dtype));
  each_rows(rows, columns, threads, [&](int64_t begin, int64_t end) {
    kernels.cross_entropy(dtype, false, static_cast<const char*>(logits) + begin * columns * size,
                          static_cast<const char*>(labels) + begin * columns * size,
                          offset(static_cast<char*>(loss), begin * size),
                          offset(static_cast<char*>(backprop), begin * columns * size), end - begin, columns);
  });
}

}  // namespace vf::cpu
