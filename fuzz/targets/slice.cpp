// shape_and_slice, a text that graphs and users give. What is taken lies inside of its shape.
#include <cstdlib>

#include "io/tensor_slice.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto spec = vf::io::parse_shape_and_slice(std::string(vf::fuzz::bytes_of(data, size)));
    if (!spec.whole && !vf::io::fits(spec.slice, spec.shape)) std::abort();
  } catch (const vf::Error&) {
  }
  return 0;
}
