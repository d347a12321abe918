#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layering/check.h"

namespace layering {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> check(const std::string& path, const std::string& text) {
  return check_file(varflow_rules(), path, text);
}

TEST(Layering, SourcesKeepToTheTable) {
  std::string all;
  for (const auto& line : check_tree(varflow_rules(), VARFLOW_SOURCE_ROOT)) all += line + "\n";
  EXPECT_EQ(all, "");
}

TEST(Layering, WalksTheTree) {
  Rules none = varflow_rules();
  none.most_lines = 0;
  EXPECT_GE(check_tree(none, VARFLOW_SOURCE_ROOT).size(), 10U);
}

TEST(Layering, EveryRoomIsInTheTable) {
  for (const auto& room : varflow_rules().rooms)
    for (const auto& other : room.may_include)
      EXPECT_THAT(check("src/" + other + "/a.cpp", ""), IsEmpty()) << "in the line of " << room.name;
  for (const auto& [header, room] : varflow_rules().public_headers) {
    if (!room.empty()) {
      EXPECT_THAT(check("src/" + room + "/a.cpp", ""), IsEmpty()) << header;
    }
  }
}

TEST(Layering, RoomsIncludeDownwards) {
  EXPECT_THAT(check("src/graph/a.cpp", "#include \"tensor/visit.h\"\n#include \"graph/reference.h\"\n"), IsEmpty());
  EXPECT_THAT(check("src/cpu/a.cpp", "#include <vector>\n#include \"graph/reference.h\"\n"),
              ElementsAre(AllOf(StartsWith("src/cpu/a.cpp:2: "), HasSubstr("cpu may include tensor, base"))));
  EXPECT_THAT(check("src/runtime/a.cpp", "#include \"ops/math/add.h\"\n"), ElementsAre(HasSubstr("ops/math/add.h")));
  EXPECT_THAT(check("src/base/a.cpp", "  #  include <tensor/visit.h>\n"), ElementsAre(HasSubstr("no other room")));
}

TEST(Layering, PublicHeadersHaveRooms) {
  EXPECT_THAT(check("src/cpu/a.cpp", "#include \"varflow/tensor.h\"\n"), IsEmpty());
  EXPECT_THAT(check("src/cpu/a.cpp", "#include \"varflow/graph.h\"\n"), ElementsAre(HasSubstr("is of graph")));
  EXPECT_THAT(check("src/ops/a.cpp", "#include \"varflow/ops/math.h\"\n"), ElementsAre(HasSubstr("is of builders")));
  EXPECT_THAT(check("src/graph/a.cpp", "#include \"varflow/news.h\"\n"), ElementsAre(HasSubstr("belongs to no room")));
  EXPECT_THAT(check("include/varflow/news.h", "#pragma once\n"), ElementsAre(HasSubstr("belongs to no room")));
  EXPECT_THAT(check("include/other/a.h", "#pragma once\n"), ElementsAre(HasSubstr("live in")));
}

TEST(Layering, PublicHeadersIncludePublicHeaders) {
  EXPECT_THAT(check("include/varflow/graph.h", "#pragma once\n#include \"varflow/tensor.h\"\n"), IsEmpty());
  EXPECT_THAT(check("include/varflow/graph.h", "#pragma once\n#include \"graph/reference.h\"\n"),
              ElementsAre(HasSubstr("is internal")));
  EXPECT_THAT(check("include/varflow/tensor.h", "#pragma once\n#include \"varflow/graph.h\"\n"),
              ElementsAre(HasSubstr("is of graph")));
}

TEST(Layering, CommandsAndExamplesUseThePublicHeaders) {
  EXPECT_THAT(check("tools/a.cpp", "#include \"varflow/graph.h\"\n#include \"arguments.h\"\n"), IsEmpty());
  EXPECT_THAT(check("tools/a.cpp", "#include \"io/crc.h\"\n"), ElementsAre(HasSubstr("tools/ includes public")));
  EXPECT_THAT(check("examples/a.cpp", "#include \"io/crc.h\"\n"), ElementsAre(HasSubstr("examples/ includes public")));
  EXPECT_THAT(check("tests/io/a.cpp", "#include \"io/crc.h\"\n"), IsEmpty());
}

TEST(Layering, HeavyHeadersStayInSources) {
  EXPECT_THAT(check("src/io/a.cpp", "#include <nlohmann/json.hpp>\n"), IsEmpty());
  EXPECT_THAT(check("src/io/a.h", "#pragma once\n#include <nlohmann/json.hpp>\n"), ElementsAre(HasSubstr("is heavy")));
}

TEST(Layering, UnknownRoomsAndStrangePathsFail) {
  EXPECT_THAT(check("src/utils/a.cpp", ""), ElementsAre(HasSubstr("unknown room 'utils'")));
  EXPECT_THAT(check("src/a.cpp", ""), ElementsAre(HasSubstr("unknown room ''")));
  EXPECT_THAT(check("src/io/a.cpp", "#include \"crc.h\"\n"), ElementsAre(HasSubstr("whole paths for ours")));
  EXPECT_THAT(check("src/io/a.cpp", "#include \"../cpu/philox.h\"\n"), ElementsAre(HasSubstr("whole paths for ours")));
}

TEST(Layering, HeadersAreGuardedAndFilesShort) {
  EXPECT_THAT(check("src/io/a.h", "// A comment.\n"), ElementsAre(HasSubstr("no #pragma once")));
  std::string text;
  for (int i = 0; i < 600; ++i) text += "\n";
  EXPECT_THAT(check("tests/io/a.cpp", text), IsEmpty());
  EXPECT_THAT(check("tests/io/a.cpp", text + "int last;"), ElementsAre(HasSubstr("601 lines")));
}

}  // namespace
}  // namespace layering
