#include "io/idx.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Gzip expands up to a thousand times; more than the fuzzer's memory tells nothing.
  constexpr uint64_t kMostBytes = 64 << 20;
  vf::fuzz::read_as_file(vf::fuzz::bytes_of(data, size),
                         [](vf::Env& env) { vf::io::read_idx(env, "file", kMostBytes); });
  return 0;
}
