// What every op must say of itself.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "varflow/op.h"

namespace vf {
namespace {

std::map<std::string, std::string> golden_signatures() {
  std::ifstream file(VARFLOW_TEST_DATA "/op_signatures.txt");
  std::map<std::string, std::string> result;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') result[line.substr(0, line.find('('))] = line;
  return result;
}

bool own(const OpDef& op) { return op.name.rfind("Vf", 0) == 0; }

TEST(Contract, SignaturesAreTensorFlows) {
  const auto golden = golden_signatures();
  ASSERT_GT(golden.size(), 1000U);
  for (const auto& op : OpRegistry::standard().ops()) {
    if (own(*op)) continue;
    const auto it = golden.find(op->name);
    ASSERT_NE(it, golden.end()) << op->name << " is not an op of TensorFlow's";
    EXPECT_EQ(op->signature(), it->second);
  }
}

TEST(Contract, EveryOpIsComplete) {
  for (const auto& op : OpRegistry::standard().ops()) {
    SCOPED_TRACE(op->name);
    EXPECT_GE(op->doc.size(), 3U) << "no doc";
    EXPECT_TRUE(op->shape) << "no shape rule";
    EXPECT_NE(static_cast<bool>(op->gradient), op->no_gradient) << "either a gradient or no_grad()";
    EXPECT_FALSE(op->fast && !op->reference) << "a fast kernel needs a reference";
  }
}

TEST(Contract, EveryOpHasAnExample) {
  // Those whose work shows only beside variables, feeds or other nodes.
  const std::set<std::string> without{
      "Const",        // its attribute is its value
      "Placeholder",  // must be fed
      "NoOp",         // has neither inputs nor outputs
  };
  for (const auto& op : OpRegistry::standard().ops()) {
    const bool touches_state = !op->accesses.empty() || (op->stateful && !op->random);
    if (touches_state || op->block != BlockKind::None || without.count(op->name)) continue;
    EXPECT_FALSE(op->examples.empty()) << op->name;
  }
}

// Generated builders would clash.
TEST(Contract, FunctionNamesAreUnique) {
  std::map<std::string, std::string> owners;
  for (const auto& op : OpRegistry::standard().ops()) {
    if (op->function_name.empty()) continue;
    const auto [it, fresh] = owners.emplace(op->function_name, op->name);
    EXPECT_TRUE(fresh) << op->name << " and " << it->second << " are both " << op->function_name;
  }
}

}  // namespace
}  // namespace vf
