#include "io/proto/bundle.h"

#include <protozero/pbf_writer.hpp>

#include "io/proto/message.h"

namespace vf::io::proto {
namespace {

TensorSlice parse_slice(std::string_view bytes) {
  TensorSlice slice;
  for_each_field("TensorSliceProto", bytes, [&](Field& field) {
    if (!field.is_bytes(1)) return;
    Extent extent;
    for_each_field("TensorSliceProto.Extent", field.bytes(), [&](Field& part) {
      if (part.is_varint(1))
        extent.start = part.int64();
      else if (part.is_varint(2))
        extent.length = part.int64();
    });
    slice.push_back(extent);
  });
  return slice;
}

void parse_version(std::string_view bytes, BundleHeader* header) {
  for_each_field("VersionDef", bytes, [&](Field& field) {
    if (field.is_varint(1))
      header->producer = field.int32();
    else if (field.is_varint(2))
      header->min_consumer = field.int32();
    else if (field.is_varint(3))
      header->bad_consumers.push_back(field.int32());
    else if (field.is_bytes(3)) {
      const std::string_view packed = field.bytes();
      const char* at = packed.data();
      while (at != packed.data() + packed.size())
        header->bad_consumers.push_back(
            static_cast<int32_t>(protozero::decode_varint(&at, packed.data() + packed.size())));
    }
  });
}

}  // namespace

BundleHeader parse_bundle_header(std::string_view bytes) {
  BundleHeader header;
  for_each_field("BundleHeaderProto", bytes, [&](Field& field) {
    if (field.is_varint(1))
      header.num_shards = field.int32();
    else if (field.is_varint(2))
      header.big_endian = field.int32() != 0;
    else if (field.is_bytes(3))
      parse_version(field.bytes(), &header);
  });
  return header;
}

BundleEntry parse_bundle_entry(std::string_view bytes) {
  BundleEntry entry;
  for_each_field("BundleEntryProto", bytes, [&](Field& field) {
    if (field.is_varint(1))
      entry.dtype = field.int32();
    else if (field.is_bytes(2))
      entry.shape = parse_tensor_shape(field.bytes());
    else if (field.is_varint(3))
      entry.shard = field.int32();
    else if (field.is_varint(4))
      entry.offset = field.int64();
    else if (field.is_varint(5))
      entry.size = field.int64();
    else if (field.is_fixed32(6))
      entry.crc32c = field.fixed32();
    else if (field.is_bytes(7))
      entry.slices.push_back(parse_slice(field.bytes()));
  });
  return entry;
}

std::string serialize(const BundleHeader& header) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  if (header.num_shards != 0) writer.add_int32(1, header.num_shards);
  if (header.big_endian) writer.add_enum(2, 1);
  protozero::pbf_writer version(writer, 3);
  if (header.producer != 0) version.add_int32(1, header.producer);
  if (header.min_consumer != 0) version.add_int32(2, header.min_consumer);
  return bytes;
}

std::string serialize(const BundleEntry& entry) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  if (entry.dtype != 0) writer.add_enum(1, entry.dtype);
  writer.add_message(2, serialize(to_shape(entry.shape)));
  if (entry.shard != 0) writer.add_int32(3, entry.shard);
  if (entry.offset != 0) writer.add_int64(4, entry.offset);
  if (entry.size != 0) writer.add_int64(5, entry.size);
  if (entry.crc32c != 0) writer.add_fixed32(6, entry.crc32c);
  for (const TensorSlice& slice : entry.slices) {
    std::string bytes_of_slice;
    protozero::pbf_writer message(bytes_of_slice);
    for (const Extent& extent : slice) {
      std::string part;
      protozero::pbf_writer numbers(part);
      if (extent.start != 0) numbers.add_int64(1, extent.start);
      if (extent.length >= 0) numbers.add_int64(2, extent.length);
      message.add_message(1, part);  // a nested writer would leave out an empty one
    }
    writer.add_message(7, bytes_of_slice);
  }
  return bytes;
}

}  // namespace vf::io::proto
