#include "varflow/dtype.h"

#include <bit>
#include <complex>
#include <iterator>

#include "varflow/tensor.h"

namespace vf {
namespace {

struct Entry {
  DType dtype;
  const char* name;
  const char* python_name;
  size_t size;
};

constexpr Entry kEntries[] = {
    {DType::Float, "float", "float32", 4},
    {DType::Double, "double", "float64", 8},
    {DType::Int32, "int32", "int32", 4},
    {DType::UInt8, "uint8", "uint8", 1},
    {DType::Int16, "int16", "int16", 2},
    {DType::Int8, "int8", "int8", 1},
    {DType::String, "string", "string", sizeof(std::string)},
    {DType::Complex64, "complex64", "complex64", 8},
    {DType::Int64, "int64", "int64", 8},
    {DType::Bool, "bool", "bool", 1},
    {DType::QInt8, "qint8", "qint8", 1},
    {DType::QUInt8, "quint8", "quint8", 1},
    {DType::QInt32, "qint32", "qint32", 4},
    {DType::BFloat16, "bfloat16", "bfloat16", 2},
    {DType::QInt16, "qint16", "qint16", 2},
    {DType::QUInt16, "quint16", "quint16", 2},
    {DType::UInt16, "uint16", "uint16", 2},
    {DType::Complex128, "complex128", "complex128", 16},
    {DType::Half, "half", "float16", 2},
    {DType::Resource, "resource", "resource", sizeof(ResourceHandle)},
    {DType::Variant, "variant", "variant", sizeof(Variant)},
    {DType::UInt32, "uint32", "uint32", 4},
    {DType::UInt64, "uint64", "uint64", 8},
};

const Entry* find(DType dtype) {
  for (const Entry& e : kEntries)
    if (e.dtype == dtype) return &e;
  return nullptr;
}

}  // namespace

size_t dtype_size(DType dtype) {
  const Entry* e = find(dtype);
  return e ? e->size : 0;
}

const char* dtype_name(DType dtype) {
  const Entry* e = find(dtype);
  return e ? e->name : "invalid";
}

const char* dtype_python_name(DType dtype) {
  const Entry* e = find(dtype);
  return e ? e->python_name : "invalid";
}

DType dtype_from_name(std::string_view name) {
  for (const Entry& e : kEntries)
    if (name == e.name || name == e.python_name) return e.dtype;
  return DType::Invalid;
}

bool is_floating(DType d) {
  return d == DType::Float || d == DType::Double || d == DType::Half || d == DType::BFloat16;
}

bool is_integer(DType d) {
  switch (d) {
    case DType::Int8:
    case DType::Int16:
    case DType::Int32:
    case DType::Int64:
    case DType::UInt8:
    case DType::UInt16:
    case DType::UInt32:
    case DType::UInt64: return true;
    default: return false;
  }
}

bool is_complex(DType d) { return d == DType::Complex64 || d == DType::Complex128; }

bool is_plain(DType d) {
  return d != DType::Invalid && d != DType::String && d != DType::Resource && d != DType::Variant;
}

Half::Half(float value) {
  const auto f = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (f >> 16) & 0x8000U;
  const uint32_t magnitude = f & 0x7fffffffU;
  if (magnitude > 0x7f800000U) {  // NaN stays a quiet NaN
    bits = static_cast<uint16_t>(sign | 0x7e00U | ((magnitude >> 13) & 0x3ffU));
  } else if (magnitude >= 0x477ff000U) {  // rounds to 65536 or above
    bits = static_cast<uint16_t>(sign | 0x7c00U);
  } else if (magnitude < 0x38800000U) {  // subnormal half: let float addition do the rounding
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    bits = static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000U));
  } else {
    const uint32_t odd = (magnitude >> 13) & 1U;
    bits = static_cast<uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13));
  }
}

Half::operator float() const {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fU;
  const uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (mantissa << 13));
}

BFloat16::BFloat16(float value) {
  const auto f = std::bit_cast<uint32_t>(value);
  if ((f & 0x7fffffffU) > 0x7f800000U) {
    bits = static_cast<uint16_t>((f >> 16) | 0x40U);
  } else {
    bits = static_cast<uint16_t>((f + 0x7fffU + ((f >> 16) & 1U)) >> 16);
  }
}

BFloat16::operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace vf
