#include "target.h"
#include "varflow/arrays.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vf::fuzz::read_as_file(vf::fuzz::bytes_of(data, size), [](vf::Env& env) { vf::read_npy(env, "file"); });
  return 0;
}
