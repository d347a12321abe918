// Runs a fuzz target without a fuzzer, so that any compiler's build does it as a test: over each file of the folders
// (or the files) that it is given, whole, cut, and damaged in ways drawn from a fixed seed.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <vector>

#include "target.h"

namespace {

constexpr int kDamages = 200;         // of each file
constexpr size_t kMostBytes = 65536;  // of a file: damage far behind its beginning finds nothing new

void run(std::string_view bytes) {
  // A buffer of just that size, so that a sanitizer sees what is read beyond it.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

void replay(const std::string& path) {
  std::string whole = vf::read_file(vf::Env::system(), path);
  run(whole);
  whole.resize(std::min(whole.size(), kMostBytes));
  std::mt19937_64 random(whole.size());
  for (int i = 0; i < kDamages && !whole.empty(); ++i) {
    std::string bytes = whole;
    for (uint64_t flips = random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) bytes.resize(random() % bytes.size());
    run(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      replay(argv[i]);
      ++files;
      continue;
    }
    for (const std::string& name : vf::Env::system().list(argv[i])) {
      replay(vf::join_path(argv[i], name));
      ++files;
    }
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;  // no seeds: nothing was tested
}
