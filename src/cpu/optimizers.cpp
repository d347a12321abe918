#include "cpu/optimizers.h"

#include <string>

#include "base/parallel.h"
#include "cpu/elementwise.h"
#include "cpu/optimizer_kernels.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(OptimizerKernels, optimizer_kernels)

namespace {

// Calls f(count, at) for each range; at(p) is p moved on to the start of the range.
template <class F>
void split(DType dtype, int64_t n, int threads, F f) {
  if (dtype != DType::Float && dtype != DType::Double)
    throw Error(Code::Unimplemented, std::string("no optimizer update of ") + dtype_name(dtype));
  const auto size = static_cast<int64_t>(dtype_size(dtype));
  parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) {
    const auto at = [&]<class P>(P* p) {
      using Byte = std::conditional_t<std::is_const_v<P>, const char, char>;
      return static_cast<P*>(static_cast<Byte*>(p) + begin * size);
    };
    f(end - begin, at);
  });
}

}  // namespace

void gradient_descent(DType dtype, void* w, const void* g, double rate, int64_t n, int threads, Isa isa) {
  split(dtype, n, threads,
        [&](int64_t count, auto at) { optimizer_kernels(isa).gradient_descent(dtype, at(w), at(g), rate, count); });
}

void momentum_update(DType dtype, void* w, void* a, const void* g, double rate, double momentum, bool nesterov,
                     int64_t n, int threads, Isa isa) {
  split(dtype, n, threads, [&](int64_t count, auto at) {
    optimizer_kernels(isa).momentum(dtype, at(w), at(a), at(g), rate, momentum, nesterov, count);
  });
}

void adam_update(DType dtype, void* w, void* m, void* v, const void* g, const Adam& adam, int64_t n, int threads,
                 Isa isa) {
  split(dtype, n, threads,
        [&](int64_t count, auto at) { optimizer_kernels(isa).adam(dtype, at(w), at(m), at(v), at(g), adam, count); });
}

}  // namespace vf::cpu
