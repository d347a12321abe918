#pragma once
// TensorShapeProto. Serialized messages are std::string_view here, so that protozero stays inside the .cpp files.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/shape.h"

namespace vf::io::proto {

struct TensorShape {
  std::vector<int64_t> dims;  // as stored: -1 is unknown, other negative ones are a damaged file's
  bool unknown_rank = false;
};

// DataLoss for bytes that are no such message.
TensorShape parse_tensor_shape(std::string_view bytes);
// InvalidArgument where Shape cannot hold it.
Shape to_shape(const TensorShape& shape);
std::string serialize(const Shape& shape);
// "dim { size: 2 } dim { size: -5 }": the text form on one line, as TensorFlow's messages have it.
std::string debug_string(const TensorShape& shape);

}  // namespace vf::io::proto
