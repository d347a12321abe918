#include "cpu/isa.h"

#include <gtest/gtest.h>

#include "varflow/error.h"

namespace vf::cpu {
namespace {

TEST(Isa, ActiveIsAvailable) { EXPECT_TRUE(isa_available(active_isa())); }

TEST(Isa, VariableCaps) {
  const Isa least = kAllIsas[0];
  EXPECT_EQ(choose_isa(nullptr, least), least);
  EXPECT_EQ(choose_isa("", least), least);
  for (Isa isa : kAllIsas) {
    EXPECT_EQ(choose_isa(isa_name(isa), isa), isa);
    EXPECT_EQ(choose_isa(isa_name(isa), least), least) << "asking for more than the processor has";
    EXPECT_EQ(choose_isa(isa_name(least), isa), least);
  }
  EXPECT_THROW(choose_isa("avx", least), Error);
  EXPECT_THROW(choose_isa("AVX2", least), Error);
}

}  // namespace
}  // namespace vf::cpu
