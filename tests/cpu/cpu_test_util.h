#pragma once
// Numbers and comparisons that the tests of src/cpu share.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "cpu/isa.h"
#include "tensor/visit.h"
#include "varflow/tensor.h"

namespace vf::cpu {

// Lengths around vector widths and above the size from which loops use a second thread.
inline const std::vector<int64_t> kLengths = {0, 1, 15, 17, 64, 1000, 40003};

// The instruction sets that this processor has, least first.
inline std::vector<Isa> supported_isas() {
  std::vector<Isa> isas;
  for (Isa isa : kAllIsas)
    if (isa_available(isa)) isas.push_back(isa);
  return isas;
}

inline const std::vector<DType> kNumberTypes = {
    DType::Float, DType::Double, DType::Half,   DType::BFloat16, DType::Int8,   DType::Int16, DType::Int32,
    DType::Int64, DType::UInt8,  DType::UInt16, DType::UInt32,   DType::UInt64, DType::Bool};

// Small numbers of either sign (where the type has them), with zeros among them; every 97th float is special.
inline Tensor random_tensor(DType dtype, const Shape& shape, unsigned seed, bool specials = false) {
  Tensor t(dtype, shape);
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> real(-4, 4);
  std::uniform_int_distribution<int> integer(is_floating(dtype) ? 0 : -9, 9);
  visit_number(dtype, [&]<class T>() {
    T* x = t.data<T>();
    constexpr float kSpecial[] = {INFINITY, -INFINITY, NAN, -0.0F, 0.0F, 1e30F, -1e30F, 1e-30F};
    for (int64_t i = 0; i < t.num_elements(); ++i) {
      if (dtype == DType::Bool)
        x[i] = convert<T>(integer(engine) > 0);
      else if (!is_floating(dtype))
        x[i] = convert<T>(std::is_unsigned_v<T> ? std::abs(integer(engine)) : integer(engine));
      else if (specials && i % 97 == 5)
        x[i] = convert<T>(kSpecial[i / 97 % 8]);
      else
        x[i] = convert<T>(real(engine));
    }
  });
  return t;
}

inline bool is_nan(DType dtype, const void* x, int64_t i) {
  switch (dtype) {
    case DType::Float: return std::isnan(static_cast<const float*>(x)[i]);
    case DType::Double: return std::isnan(static_cast<const double*>(x)[i]);
    case DType::Half: return std::isnan(float(static_cast<const Half*>(x)[i]));
    case DType::BFloat16: return std::isnan(float(static_cast<const BFloat16*>(x)[i]));
    default: return false;
  }
}

// The first element whose bits differ (any NaN equals any other), or -1.
inline int64_t first_difference(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.num_elements() != b.num_elements()) return 0;
  const size_t size = dtype_size(a.dtype());
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const size_t at = static_cast<size_t>(i) * size;
    if (std::memcmp(static_cast<const char*>(a.raw()) + at, static_cast<const char*>(b.raw()) + at, size) == 0)
      continue;
    if (is_nan(a.dtype(), a.raw(), i) && is_nan(b.dtype(), b.raw(), i)) continue;
    return i;
  }
  return -1;
}

// Relative precision of a type, 0 for those that are exact.
inline double epsilon(DType dtype) {
  switch (dtype) {
    case DType::Float: return 0x1p-23;
    case DType::Double: return 0x1p-52;
    case DType::Half: return 0x1p-10;
    case DType::BFloat16: return 0x1p-7;
    default: return 0;
  }
}

}  // namespace vf::cpu
