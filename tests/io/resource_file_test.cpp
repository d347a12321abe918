#include "io/resource_file.h"

#include <gtest/gtest.h>

#include "base/memory_env.h"

namespace vf::io {
namespace {

const std::vector<ResourceState> kStates = {{"", "dropout/random_uniform", "Philox", std::string("\0\1\2", 3)},
                                            {"box", "", "Counter", ""}};

std::string written(testing::MemoryEnv& env) {
  write_resources(env, "a.resources", kStates);
  return read_file(env, "a.resources");
}

Code code_of(testing::MemoryEnv& env, const std::string& bytes) {
  env.create("b", Env::Write::Truncate)->append(bytes);
  try {
    read_resources(env, "b");
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("b: "), std::string::npos) << e.what();
    return e.code();
  }
  return Code::Ok;
}

TEST(ResourceFile, ReadsWhatItWrote) {
  testing::MemoryEnv env;
  written(env);
  EXPECT_EQ(read_resources(env, "a.resources"), kStates);
  write_resources(env, "a.resources", {});
  EXPECT_TRUE(read_resources(env, "a.resources").empty());
}

TEST(ResourceFile, RefusesDamage) {
  testing::MemoryEnv env;
  const std::string good = written(env);
  EXPECT_EQ(code_of(env, good), Code::Ok);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    EXPECT_NE(code_of(env, bad), Code::Ok) << "byte " << i;
    EXPECT_EQ(code_of(env, good.substr(0, i)), Code::DataLoss) << "cut at " << i;
  }
  EXPECT_EQ(code_of(env, good + "x"), Code::DataLoss);
  std::string newer = good;
  newer[8] = 2;
  EXPECT_EQ(code_of(env, newer), Code::Unimplemented) << "says that it is too new";
}

}  // namespace
}  // namespace vf::io
