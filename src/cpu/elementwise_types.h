#pragma once
// What the elementwise .isa.cpp files share (internal linkage): dtypes to C++ types and arithmetic that wraps around.
#include <cstdint>
#include <type_traits>
#include <utility>

#include "varflow/dtype.h"

namespace vf::cpu::VF_ISA {
namespace {

// The constants of selu, and scale * alpha.
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluScaleAlpha = 1.7580993408473768599402175208123;

template <class T>
constexpr bool is_small = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <class T, bool integer = std::is_integral_v<T> && !std::is_same_v<T, bool>>
struct WideOf {
  using type = T;
};
template <class T>
struct WideOf<T, true> {
  using type = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
};
// Integers: an unsigned type in which sums and products wrap around and which `int` does not swallow; floats
// themselves.
template <class T>
using Wide = typename WideOf<T>::type;

template <class T>
inline T multiply(T a, T b) {
  return static_cast<T>(static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b));
}

template <class Loop, class F>
Loop pick_loop(DType dtype, F f) {
  switch (dtype) {
    case DType::Float: return f.template operator()<float>();
    case DType::Double: return f.template operator()<double>();
    case DType::Int32: return f.template operator()<int32_t>();
    case DType::UInt8: return f.template operator()<uint8_t>();
    case DType::Int16: return f.template operator()<int16_t>();
    case DType::Int8: return f.template operator()<int8_t>();
    case DType::Int64: return f.template operator()<int64_t>();
    case DType::Bool: return f.template operator()<bool>();
    case DType::BFloat16: return f.template operator()<BFloat16>();
    case DType::UInt16: return f.template operator()<uint16_t>();
    case DType::Half: return f.template operator()<Half>();
    case DType::UInt32: return f.template operator()<uint32_t>();
    case DType::UInt64: return f.template operator()<uint64_t>();
    default: return Loop{};
  }
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
