#include <cstdlib>

#include "io/png.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto header = vf::io::read_png_header(vf::fuzz::bytes_of(data, size));
  if (header && (header->width <= 0 || header->height <= 0 || header->channels < 1 || header->channels > 4))
    std::abort();
  return 0;
}
