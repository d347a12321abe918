// Prints the typed builder functions of all ops: OUTPUT_FOLDER FAMILY...; a file is written only where its text
// changed.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "generate/builder_text.h"

namespace {

void write_if_changed(const std::filesystem::path& path, const std::string& text) {
  std::ifstream old(path, std::ios::binary);
  if (old && std::string(std::istreambuf_iterator<char>(old), {}) == text) return;
  old.close();
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: varflow_generate_builders OUTPUT_FOLDER FAMILY...\n");
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const std::set<std::string> families(argv + 2, argv + argc);
    for (const auto& op : vf::OpRegistry::standard().ops())
      if (!families.count(op->family)) throw std::runtime_error("the family " + op->family + " is not in the list");
    std::string all = "#pragma once\n// All generated builders.\n";
    for (const std::string& family : families) {
      const vf::generate::BuilderText text = vf::generate::builders_of(vf::OpRegistry::standard(), family);
      write_if_changed(folder / (family + ".h"), text.header);
      write_if_changed(folder / (family + ".cpp"), text.source);
      all += "#include \"varflow/ops/" + family + ".h\"\n";
    }
    write_if_changed(folder / "ops.h", all);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "varflow_generate_builders: %s\n", e.what());
    return 1;
  }
  return 0;
}
