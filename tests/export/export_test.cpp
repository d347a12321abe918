// The shared library exports what a public header marks with VF_API, all of it, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Names = std::set<std::string>;

// "class VF_API Error : public ..." -> Error; "VF_API const char* code_name(Code code);" -> code_name.
struct Declared {
  Names all;
  Names functions;
};
Declared declared(const std::string& text) {
  static const std::regex not_code("//[^\n]*|#[^\n]*");
  static const std::regex mark("VF_API\\s+([^;{(]*[^;{(:\\s])\\s*(:[^:]|[;{(])");
  static const std::regex last_name("([A-Za-z_][A-Za-z_0-9]*)\\s*(final)?\\s*$");
  const std::string code = std::regex_replace(text, not_code, "");
  Declared result;
  for (std::sregex_iterator it(code.begin(), code.end(), mark), end; it != end; ++it) {
    std::string words = (*it)[1];
    if (const size_t base = words.find(" : "); base != std::string::npos) words.resize(base);
    std::smatch name;
    if (!std::regex_search(words, name, last_name)) continue;
    if (name[1] == "operator") continue;
    result.all.insert(name[1]);
    if ((*it)[2] == "(") result.functions.insert(name[1]);
  }
  return result;
}

// First name below vf in a mangled symbol: _ZNK2vf5Shape3strEv -> Shape, _ZN2vfplE... -> "" (an operator).
// The whole symbol where it is none of namespace vf.
std::string name_below_vf(const std::string& symbol) {
  static const std::regex mangled("_Z(GV|Z|T[ISVT]|Th?v?n?[0-9_n]*_)*NK?2vf([0-9]*)(.*)");
  std::smatch match;
  if (!std::regex_match(symbol, match, mangled)) return symbol;
  return match[2].length() == 0 ? "" : match[3].str().substr(0, std::stoul(match[2]));
}

// Defined dynamic symbols of a library; its version nodes, which are absolute, left out.
std::vector<std::string> exported(const std::string& library) {
  const std::string command = VARFLOW_NM " -D --defined-only --format=posix '" + library + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  char chunk[4096];
  while (const size_t n = std::fread(chunk, 1, sizeof chunk, pipe.get())) output.append(chunk, n);
  std::vector<std::string> symbols;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string symbol, kind;
    words >> symbol >> kind;
    if (kind != "A") symbols.push_back(symbol.substr(0, symbol.find('@')));
  }
  return symbols;
}

std::string public_headers() {
  std::string text;
  for (const std::string folder : {VARFLOW_SOURCE_ROOT "/include", VARFLOW_GENERATED}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".h") continue;
      std::ostringstream file;
      file << std::ifstream(entry.path()).rdbuf();
      text += file.str();
    }
  }
  return text;
}

TEST(Export, ReadsDeclarationsAndSymbols) {
  const Declared d = declared(
      "class VF_API Error : public std::runtime_error {\n struct VF_API Half {\n"
      "VF_API const std::string& text_of(const Code& code); // VF_API not\n"
      "#define VF_API __attribute__((x))\nVF_API std::vector<Output>\n gradients(Output y);\n class VF_API Last final "
      "{\n");
  EXPECT_THAT(d.all, UnorderedElementsAre("Error", "Half", "text_of", "gradients", "Last"));
  EXPECT_THAT(d.functions, UnorderedElementsAre("text_of", "gradients"));
  EXPECT_EQ(name_below_vf("_ZNK2vf5Shape3strEv"), "Shape");
  EXPECT_EQ(name_below_vf("_ZTIN2vf5ErrorE"), "Error");
  EXPECT_EQ(name_below_vf("_ZThn16_N2vf5ErrorD0Ev"), "Error");
  EXPECT_EQ(name_below_vf("_ZGVZN2vf5Error4nameEvE1s"), "Error");
  EXPECT_EQ(name_below_vf("_ZN2vfplERKNS_6OutputES2_"), "");
  EXPECT_EQ(name_below_vf("_ZNSt6vectorIfSaIfEED1Ev"), "_ZNSt6vectorIfSaIfEED1Ev");
}

TEST(Export, NothingElse) {
  const Names allowed = declared(public_headers()).all;
  std::vector<std::string> wrong;
  for (const auto& symbol : exported(VARFLOW_SHARED_LIBRARY))
    if (const std::string name = name_below_vf(symbol); !name.empty() && !allowed.contains(name))
      wrong.push_back(symbol);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Export, AllFunctions) {
  Names missing = declared(public_headers()).functions;
  EXPECT_GT(missing.size(), 5U);
  for (const auto& symbol : exported(VARFLOW_SHARED_LIBRARY)) missing.erase(name_below_vf(symbol));
  EXPECT_THAT(missing, IsEmpty()) << "declared in a public header, defined nowhere";
}

}  // namespace
