#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "varflow/export.h"

namespace vf {

// Element types, with the numbers of TensorFlow's DataType.
enum class DType : uint8_t {
  Invalid = 0,
  Float = 1,
  Double = 2,
  Int32 = 3,
  UInt8 = 4,
  Int16 = 5,
  Int8 = 6,
  String = 7,
  Complex64 = 8,
  Int64 = 9,
  Bool = 10,
  QInt8 = 11,  // the quantized types stand in signatures; nothing computes with them
  QUInt8 = 12,
  QInt32 = 13,
  BFloat16 = 14,
  QInt16 = 15,
  QUInt16 = 16,
  UInt16 = 17,
  Complex128 = 18,
  Half = 19,
  Resource = 20,
  Variant = 21,
  UInt32 = 22,
  UInt64 = 23,
};

// IEEE binary16 and the upper half of binary32; conversions round to nearest, ties to even.
struct VF_API Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(float value);
  explicit operator float() const;
  friend bool operator==(Half a, Half b) { return float(a) == float(b); }
};
struct VF_API BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  explicit operator float() const;
  friend bool operator==(BFloat16 a, BFloat16 b) { return float(a) == float(b); }
};

// Bytes of one element in memory; for String, Resource and Variant the size of the C++ object that holds one.
VF_API size_t dtype_size(DType dtype);
// TensorFlow's names in op signatures: "float", "double", "int32", "bfloat16", ...
VF_API const char* dtype_name(DType dtype);
// TensorFlow's names in Python: "float32", "float64", "int32", ...
VF_API const char* dtype_python_name(DType dtype);
// Takes either kind of name; DType::Invalid where unknown.
VF_API DType dtype_from_name(std::string_view name);

VF_API bool is_floating(DType dtype);  // half, bfloat16, float, double
VF_API bool is_integer(DType dtype);   // signed and unsigned, not bool
VF_API bool is_complex(DType dtype);
// Plain bytes that can be copied, hashed and written to files as they are (not String, Resource, Variant).
VF_API bool is_plain(DType dtype);

}  // namespace vf
