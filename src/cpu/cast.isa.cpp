#include "cpu/cast_kernels.h"
#include "cpu/elementwise_types.h"
#include "cpu/small_floats.h"

namespace vf::cpu::VF_ISA {
namespace {

// Floats to integers in terms of the two conversions that all instruction sets agree on, to int32 and int64.
template <class To, class From>
inline To integer_of(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (sizeof(To) < 4 || std::is_same_v<To, int32_t>) {
    return static_cast<To>(static_cast<int32_t>(x));
  } else if constexpr (std::is_same_v<To, int64_t>) {
    return static_cast<int64_t>(x);
  } else {
    using Signed = std::make_signed_t<To>;
    constexpr From kHalfWay = sizeof(To) == 4 ? From(0x1p31) : From(0x1p63);
    const Signed low = static_cast<Signed>(x);
    const Signed high = static_cast<Signed>(x - kHalfWay);
    // The second counts where the first did not fit.
    return static_cast<To>(low | (high & (low >> (8 * sizeof(To) - 1))));
  }
}

template <class To, class From>
inline To number(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return integer_of<To>(x);
  else
    return static_cast<To>(x);
}

template <class From, class To>
void loop(const void* xv, void* yv, int64_t n) {
  const From* x = static_cast<const From*>(xv);
  To* y = static_cast<To*>(yv);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (is_small<From> && is_small<To>) {
      store(float_of(x[i]), y[i]);
    } else if constexpr (is_small<From>) {
      y[i] = number<To>(float_of(x[i]));
    } else if constexpr (is_small<To>) {
      store(static_cast<float>(x[i]), y[i]);
    } else {
      y[i] = number<To>(x[i]);
    }
  }
}

CastLoop cast_loop(DType from, DType to) {
  return pick_loop<CastLoop>(from, [to]<class From>() {
    return pick_loop<CastLoop>(to, []<class To>() -> CastLoop { return loop<From, To>; });
  });
}

}  // namespace

extern const CastKernels cast_kernels_table = {cast_loop};

}  // namespace vf::cpu::VF_ISA
