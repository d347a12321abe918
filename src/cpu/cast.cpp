#include "cpu/cast.h"

#include <string>

#include "base/parallel.h"
#include "cpu/cast_kernels.h"
#include "cpu/elementwise.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(CastKernels, cast_kernels)

CastLoop cast_loop(DType from, DType to, Isa isa) { return cast_kernels(isa).loop(from, to); }

void cast(DType from, DType to, const void* x, void* y, int64_t n, int threads) {
  const CastLoop loop = cast_loop(from, to);
  if (!loop)
    throw Error(Code::Unimplemented, std::string("no cast from ") + dtype_name(from) + " to " + dtype_name(to));
  const auto size_x = static_cast<int64_t>(dtype_size(from));
  const auto size_y = static_cast<int64_t>(dtype_size(to));
  parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) {
    loop(static_cast<const char*>(x) + begin * size_x, static_cast<char*>(y) + begin * size_y, end - begin);
  });
}

}  // namespace vf::cpu
