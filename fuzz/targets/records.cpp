// TFRecord files, event files among them: plain, zlib and gzip.
#include "base/coding.h"
#include "base/crc32c.h"
#include "io/tfrecord.h"
#include "target.h"

namespace {

void read_all(std::string_view bytes, vf::io::Compression compression) {
  vf::fuzz::read_as_file(bytes, [compression](vf::Env& env) {
    vf::io::RecordReader reader(env, "file", {.compression = compression, .most_record_bytes = 64 << 20});
    std::string record;
    while (reader.next(&record)) {
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(vf::fuzz::bytes_of(data, size));
  for (const auto compression : {vf::io::Compression::None, vf::io::Compression::Zlib, vf::io::Compression::Gzip})
    read_all(bytes, compression);
  if (size < 12) return 0;
  // Once more with the first length's checksum put right, so that lengths of any size are looked at.
  std::string checksum;
  vf::put_fixed32(&checksum, vf::crc32c::mask(vf::crc32c::value({bytes.data(), 8})));
  bytes.replace(8, 4, checksum);
  read_all(bytes, vf::io::Compression::None);
  return 0;
}
