#pragma once
// The messages of a checkpoint's index: BundleHeaderProto, BundleEntryProto, TensorSliceProto.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/proto/tensor_shape.h"
#include "io/tensor_slice.h"

namespace vf::io::proto {

struct BundleHeader {
  int32_t num_shards = 0;
  bool big_endian = false;
  int32_t producer = 0;
  int32_t min_consumer = 0;
  std::vector<int32_t> bad_consumers;
};

struct BundleEntry {
  int32_t dtype = 0;  // TensorFlow's DataType, also those that vf::DType lacks
  TensorShape shape;
  int32_t shard = 0;
  int64_t offset = 0;
  int64_t size = 0;     // bytes
  uint32_t crc32c = 0;  // masked
  std::vector<TensorSlice> slices;
};

// DataLoss for bytes that are no such message.
BundleHeader parse_bundle_header(std::string_view bytes);
BundleEntry parse_bundle_entry(std::string_view bytes);
std::string serialize(const BundleHeader& header);
std::string serialize(const BundleEntry& entry);

}  // namespace vf::io::proto
