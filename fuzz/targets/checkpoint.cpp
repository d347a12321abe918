// The index of a checkpoint, and all tensors that it promises of a data file that has other plans.
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "io/bundle_index.h"
#include "io/table_reader.h"
#include "io/table_writer.h"
#include "target.h"
#include "varflow/checkpoint.h"

namespace {

const std::string& data_bytes() {
  static const std::string bytes = [] {
    std::string b;
    for (int i = 0; i < 4096; ++i) b += static_cast<char>(i % 7);  // lengths of strings, small numbers
    return b;
  }();
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vf::testing::MemoryEnv env;
  env.files["c.index"] = vf::fuzz::bytes_of(data, size);
  env.files[vf::io::data_path("c", 0, 1)] = data_bytes();
  try {
    const vf::CheckpointReader reader(env, "c");
    for (const vf::CheckpointEntry& e : reader.entries()) try {
        reader.read(e.name);
      } catch (const vf::Error&) {
      }
  } catch (const vf::Error&) {
  }
  return 0;
}

#ifdef VARFLOW_LIBFUZZER
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Blind changes die on the blocks' checksums. Most changes are made to one entry's message, in a table that is put
// together anew around it.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  vf::testing::MemoryEnv env;
  env.files["file"] = vf::fuzz::bytes_of(data, size);
  std::vector<std::pair<std::string, std::string>> entries;
  try {
    const auto file = env.open("file");
    vf::io::read_table(*file, [&](std::string_view key, std::string_view value) { entries.emplace_back(key, value); });
    if (seed % 8 == 0 || entries.empty()) return LLVMFuzzerMutate(data, size, max_size);
    std::string& message = entries[seed / 8 % entries.size()].second;
    const size_t length = message.size();
    message.resize(length + 64);
    message.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(message.data()), length, message.size()));
    vf::AtomicFile made(env, "made");
    vf::io::TableWriter table(&made);
    for (const auto& [key, value] : entries) table.add(key, value);
    table.finish();
    made.commit();
  } catch (const vf::Error&) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const std::string& made = env.files["made"];
  if (made.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(made.begin(), made.end(), data);
  return made.size();
}
#endif
