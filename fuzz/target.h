#pragma once
// What a fuzz target is made of. Each of fuzz/targets/*.cpp gives one file's bytes to a reader, which must answer with
// a value or a vf::Error: any other exception, a crash, a sanitizer's report or more than the memory allowed is a find.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/memory_env.h"
#include "varflow/error.h"

namespace vf::fuzz {

inline std::string_view bytes_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// read(env), where `bytes` lie in the file "file".
template <class Read>
void read_as_file(std::string_view bytes, Read read) {
  testing::MemoryEnv env;
  env.files["file"] = bytes;
  try {
    read(env);
  } catch (const Error&) {  // what damaged files are answered with
  }
}

}  // namespace vf::fuzz

// libFuzzer's interface, which fuzz/replay.cpp calls as well.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
