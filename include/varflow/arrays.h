#pragma once
// Arrays in NumPy's .npy files. docs/formats/npy.md describes the bytes.
#include <string>

#include "varflow/tensor.h"

namespace vf {

class Env;

// Versions 1 to 3, either order of bytes and of dimensions. bool, integers, half, float, double, complex, bfloat16
// (as ml_dtypes writes it: '<V2'), and strings: bytes ('|S5', zeros at their ends dropped, as NumPy does) as they are,
// text ('<U5') as UTF-8.
// NotFound; DataLoss for a file that is damaged or too short; Unimplemented, naming the descr, for Python objects,
// records, dates and the like.
VF_API Tensor read_npy(const std::string& path);
VF_API Tensor read_npy(Env& env, const std::string& path);

// Version 1, little-endian, C order; atomically. Strings are written as '|S' and the longest one's length:
// InvalidArgument for one that ends with a zero byte, which NumPy would drop. Unimplemented for resources, variants.
VF_API void write_npy(const std::string& path, const Tensor& tensor);
VF_API void write_npy(Env& env, const std::string& path, const Tensor& tensor);

}  // namespace vf
