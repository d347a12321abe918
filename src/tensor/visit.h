#pragma once
// From a DType to a C++ type: visit_dtype(dtype, []<class T>() { ... }).
#include <utility>

#include "varflow/dtype.h"
#include "varflow/error.h"
#include "varflow/tensor.h"

namespace vf {

template <class F>
decltype(auto) visit_number(DType dtype, F&& f) {
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
    default: break;
  }
  throw Error(Code::Unimplemented, std::string("no arithmetic for dtype ") + dtype_name(dtype));
}

// Element conversion that treats Half and BFloat16 as their float values.
template <class To, class From>
inline To convert(From value) {
  constexpr bool small_from = std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>;
  constexpr bool small_to = std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>;
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (small_from && small_to)
    return To(static_cast<float>(value));
  else if constexpr (small_from)
    return static_cast<To>(static_cast<float>(value));
  else if constexpr (small_to)
    return To(static_cast<float>(value));
  else
    return static_cast<To>(value);
}

}  // namespace vf
