#include "varflow/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vf {
namespace {

TEST(Shape, Describes) {
  EXPECT_EQ(Shape({2, -1, 3}).str(), "[2,?,3]");
  EXPECT_EQ(Shape({3}).python_str(), "(3,)");
  EXPECT_EQ(Shape::unknown().str(), "<unknown>");
  EXPECT_EQ(Shape({2, 3}).num_elements(), 6);
  EXPECT_EQ(Shape({2, -1}).num_elements(), -1);
  EXPECT_EQ(Shape({1LL << 62, 0, 4}).num_elements(), 0);
  EXPECT_THROW(static_cast<void>(Shape({1LL << 62, 4}).num_elements()), Error);
}

TEST(Shape, Merges) {
  EXPECT_EQ(Shape({2, -1}).merged(Shape({-1, 3})), Shape({2, 3}));
  EXPECT_THROW(static_cast<void>(Shape({2}).merged(Shape({3}))), Error);
  EXPECT_FALSE(Shape({2}).compatible(Shape({2, 1})));
}

TEST(Tensor, SharesAndClones) {
  Tensor a = Tensor::vector<float>({1, 2, 3});
  Tensor b = a;
  Tensor c = a.clone();
  a.data<float>()[0] = 9;
  EXPECT_EQ(b.values<float>()[0], 9);
  EXPECT_EQ(c.values<float>()[0], 1);
  EXPECT_THROW(static_cast<void>(a.data<double>()), Error);
}

TEST(Tensor, HoldsStrings) {
  Tensor s = Tensor::vector<std::string>({"a", std::string(100, 'b')});
  Tensor t = s.clone();
  s = Tensor();
  EXPECT_EQ(t.values<std::string>()[1], std::string(100, 'b'));
}

// All 65,536 patterns survive the way to float and back; halfway cases go to even.
TEST(Dtype, HalfConverts) {
  for (uint32_t i = 0; i < 65536; ++i) {
    Half h;
    h.bits = static_cast<uint16_t>(i);
    const float f = static_cast<float>(h);
    if (std::isnan(f)) continue;
    EXPECT_EQ(Half(f).bits, h.bits);
  }
  EXPECT_EQ(static_cast<float>(Half(2049.0F)), 2048.0F);
  EXPECT_EQ(static_cast<float>(Half(2051.0F)), 2052.0F);
  EXPECT_TRUE(std::isinf(static_cast<float>(Half(65520.0F))));
  EXPECT_EQ(static_cast<float>(BFloat16(1.0F + 1.0F / 256)), 1.0F);
}

}  // namespace
}  // namespace vf
