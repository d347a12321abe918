#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/variable_store.h"

namespace vf::runtime {
namespace {

// A step that fails while it writes destroys its handle without commit().
TEST(WriteHandle, LeavesNoHalfWrittenFirstValue) {
  MemoryBudget budget(0);
  VariableStore store(&budget);
  VariableEntry& v = store.entry("", "v", DType::Float, Shape{3});
  { const WriteHandle failed(v, Access::Overwrite, Shape{3}); }
  EXPECT_FALSE(v.initialized());
  WriteHandle first(v, Access::Overwrite, Shape{3});
  std::fill_n(static_cast<float*>(first.data()), 3, 2.0F);
  first.commit();
  EXPECT_EQ(v.pin().values<float>()[2], 2.0F);
  { const WriteHandle failed(v, Access::Overwrite, Shape{3}); }
  EXPECT_TRUE(v.initialized());
}

}  // namespace
}  // namespace vf::runtime
