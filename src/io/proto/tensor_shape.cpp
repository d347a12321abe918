#include "io/proto/tensor_shape.h"

#include <protozero/pbf_writer.hpp>

#include "io/proto/message.h"

namespace vf::io::proto {

TensorShape parse_tensor_shape(std::string_view bytes) {
  TensorShape shape;
  for_each_field("TensorShapeProto", bytes, [&](Field& field) {
    if (field.is_bytes(2)) {
      int64_t size = 0;
      for_each_field("TensorShapeProto.Dim", field.bytes(), [&](Field& dim) {
        if (dim.is_varint(1)) size = dim.int64();
      });
      shape.dims.push_back(size);
    } else if (field.is_varint(3)) {
      shape.unknown_rank = field.boolean();
    }
  });
  return shape;
}

Shape to_shape(const TensorShape& shape) { return shape.unknown_rank ? Shape::unknown() : Shape(shape.dims); }

std::string serialize(const Shape& shape) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (int64_t size : shape.dims()) {
    std::string dim;
    if (size != 0) protozero::pbf_writer(dim).add_int64(1, size);
    writer.add_message(2, dim);  // a nested writer would leave out an empty one
  }
  if (!shape.has_rank()) writer.add_bool(3, true);
  return bytes;
}

std::string debug_string(const TensorShape& shape) {
  std::string text;
  for (int64_t size : shape.dims) {
    if (!text.empty()) text += ' ';
    text += size == 0 ? "dim { }" : "dim { size: " + std::to_string(size) + " }";
  }
  if (shape.unknown_rank) text += text.empty() ? "unknown_rank: true" : " unknown_rank: true";
  return text;
}

}  // namespace vf::io::proto
