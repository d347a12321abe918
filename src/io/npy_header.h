#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/dtype.h"

namespace vf::io {

// What the header of a .npy file says.
struct NpyHeader {
  std::string descr;  // "<f4"; empty where it is a list (records)
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// The Python dict literal of a header, keys in any order. InvalidArgument with a reason where it is no such thing.
NpyHeader parse_npy_header(std::string_view text);
// Magic, version and dict, padded so that the data start at a multiple of 64.
std::string format_npy_header(const NpyHeader& header);

// How an element lies in the file.
struct NpyType {
  DType dtype = DType::Invalid;  // Invalid: not supported
  int64_t size = 0;              // bytes of an element in the file
  bool swapped = false;          // big-endian numbers
  bool text = false;             // UCS-4 (dtype String), else bytes
};
NpyType parse_npy_descr(const std::string& descr);
// "<f4"; empty where NumPy has none. Strings have their length behind it: "|S".
std::string npy_descr(DType dtype);

}  // namespace vf::io
