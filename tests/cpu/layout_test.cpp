#include "cpu/layout.h"

#include <gtest/gtest.h>

#include "cpu/cast.h"
#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

TEST(Concat, JoinsAndSplitParts) {
  for (int64_t outer : {1, 7, 5000}) {
    const Tensor a = random_tensor(DType::Float, {outer, 3}, 1);
    const Tensor b = random_tensor(DType::Float, {outer, 0}, 2);
    const Tensor c = random_tensor(DType::Float, {outer, 17}, 3);
    Tensor y(DType::Float, {outer, 20});
    const ConcatPart parts[] = {{a.raw(), 3}, {b.raw(), 0}, {c.raw(), 17}};
    concat(4, outer, parts, y.raw(), 2);
    for (int64_t i = 0; i < y.num_elements(); ++i)
      ASSERT_EQ(y.number(i), i % 20 < 3 ? a.number(i / 20 * 3 + i % 20) : c.number(i / 20 * 17 + i % 20 - 3));
    Tensor a2(DType::Float, {outer, 3});
    Tensor c2(DType::Float, {outer, 17});
    const SplitPart back[] = {{a2.raw(), 3}, {c2.raw(), 17}};
    split(4, outer, y.raw(), back, 2);
    EXPECT_EQ(first_difference(a, a2), -1);
    EXPECT_EQ(first_difference(c, c2), -1);
  }
}

// The place along an axis of `size` that place `at` of the padded axis shows; -1 for the constant.
int64_t mirrored(int64_t at, int64_t before, int64_t size, PadMode mode) {
  const int64_t inside = at - before;
  if (inside >= 0 && inside < size) return inside;
  if (mode == PadMode::Constant) return -1;
  const int64_t skip = mode == PadMode::Reflect ? 1 : 0;
  return inside < 0 ? -inside - 1 + skip : 2 * size - inside - 1 - skip;
}

TEST(PadPlan, ShowsConstantsOrMirrors) {
  struct {
    Shape shape;
    std::vector<int64_t> before, after;
  } const cases[] = {{{}, {}, {}},
                     {{5}, {0}, {0}},
                     {{5}, {3}, {4}},
                     {{4, 3}, {1, 2}, {3, 0}},
                     {{2, 60, 70, 3}, {0, 2, 3, 0}, {0, 2, 1, 0}},
                     {{3, 3, 3}, {2, 2, 2}, {2, 2, 2}}};
  for (const auto& c : cases) {
    for (PadMode mode : {PadMode::Constant, PadMode::Reflect, PadMode::Symmetric}) {
      const PadPlan plan(4, c.shape, c.before, c.after, mode);
      const Tensor x = random_tensor(DType::Float, c.shape, 4);
      const float value = 77;
      for (int threads : {1, 2}) {
        Tensor y(DType::Float, plan.shape());
        plan.run(x.raw(), &value, y.raw(), threads);
        for (int64_t i = 0; i < y.num_elements(); ++i) {
          int64_t rest = i;
          int64_t from = 0;
          int64_t stride = 1;
          bool outside = false;
          for (int axis = c.shape.rank() - 1; axis >= 0; --axis) {
            const int64_t at =
                mirrored(rest % plan.shape()[axis], c.before[static_cast<size_t>(axis)], c.shape[axis], mode);
            rest /= plan.shape()[axis];
            outside |= at < 0;
            from += at * stride;
            stride *= c.shape[axis];
          }
          ASSERT_EQ(y.number(i), outside ? value : x.number(from))
              << c.shape.str() << " mode " << static_cast<int>(mode);
        }
      }
    }
  }
}

TEST(PadPlan, FillsEmptyArraysAndRefusesTooFarMirrors) {
  const int64_t two[] = {2};
  const int64_t three[] = {3};
  const int64_t minus[] = {-1};
  const PadPlan plan(4, {0}, two, three, PadMode::Constant);
  float y[5] = {};
  const float value = 3;
  plan.run(nullptr, &value, y, 1);
  EXPECT_EQ(std::vector<float>(y, y + 5), std::vector<float>(5, 3));
  EXPECT_NO_THROW(PadPlan(4, {3}, three, two, PadMode::Symmetric));
  EXPECT_THROW(PadPlan(4, {3}, three, two, PadMode::Reflect), Error);
  EXPECT_THROW(PadPlan(4, {2}, three, two, PadMode::Symmetric), Error);
  EXPECT_THROW(PadPlan(4, {3}, minus, two, PadMode::Constant), Error);
  EXPECT_THROW(PadPlan(4, {3, 3}, two, two, PadMode::Constant), Error);
}

TEST(Gather, TakesRows) {
  for (int64_t inner : {1, 3, 100}) {
    const int64_t outer = 3;
    const int64_t rows = 11;
    const int64_t count = 500;
    const Tensor x = random_tensor(DType::Float, {outer, rows, inner}, 5);
    Tensor wide(DType::Int64, {count});
    for (int64_t i = 0; i < count; ++i) wide.data<int64_t>()[i] = i * 7 % rows;
    Tensor narrow = wide.cast(DType::Int32);
    for (const Tensor& indices : {wide, narrow}) {
      Tensor y(DType::Float, {outer, count, inner});
      EXPECT_EQ(gather(4, x.raw(), indices.dtype(), indices.raw(), y.raw(), outer, rows, inner, count, 2), -1);
      for (int64_t i = 0; i < y.num_elements(); ++i) {
        const int64_t row = static_cast<int64_t>(indices.number(i / inner % count));
        ASSERT_EQ(y.number(i), x.number((i / inner / count * rows + row) * inner + i % inner));
      }
    }
    Tensor y(DType::Float, {outer, count, inner});
    narrow.data<int32_t>()[7] = 11;
    EXPECT_EQ(gather(4, x.raw(), DType::Int32, narrow.raw(), y.raw(), outer, rows, inner, count, 2), 7);
    narrow.data<int32_t>()[5] = -1;
    EXPECT_EQ(gather(4, x.raw(), DType::Int32, narrow.raw(), y.raw(), outer, rows, inner, count, 2), 5);
  }
}

TEST(OneHot, MarksTheIndex) {
  const int64_t depth = 5;
  const double on = 2;
  const double off = -1;
  for (int64_t outer : {1, 9, 3000}) {
    for (int64_t inner : {1, 4}) {
      Tensor indices(DType::Int32, {outer, inner});
      for (int64_t i = 0; i < indices.num_elements(); ++i) indices.data<int32_t>()[i] = static_cast<int32_t>(i % 8 - 1);
      Tensor y(DType::Double, {outer, depth, inner});
      one_hot(8, DType::Int32, indices.raw(), &on, &off, y.raw(), outer, depth, inner, 2);
      for (int64_t i = 0; i < y.num_elements(); ++i) {
        const bool hit =
            indices.number(i / inner / depth * inner + i % inner) == static_cast<double>(i / inner % depth);
        ASSERT_EQ(y.number(i), hit ? on : off);
      }
    }
  }
}

TEST(Select, ChoosesElementsAndRows) {
  for (int64_t n : kLengths) {
    for (DType dtype : {DType::Int8, DType::Half, DType::Float, DType::Double}) {
      const Tensor c = random_tensor(DType::Bool, {n}, 6);
      const Tensor a = random_tensor(dtype, {n}, 7);
      const Tensor b = random_tensor(dtype, {n}, 8);
      Tensor y(dtype, {n});
      Tensor in_place = b.clone();
      Tensor rows(dtype, {n});
      select(dtype_size(dtype), c.data<bool>(), a.raw(), b.raw(), y.raw(), n, 2);
      select(dtype_size(dtype), c.data<bool>(), a.raw(), in_place.raw(), in_place.raw(), n, 1);
      select_rows(dtype_size(dtype), c.data<bool>(), a.raw(), b.raw(), rows.raw(), n, 1, 2);
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(y.number(i), (c.number(i) != 0 ? a : b).number(i));
      EXPECT_EQ(first_difference(y, in_place), -1);
      EXPECT_EQ(first_difference(y, rows), -1);
    }
  }
}

TEST(Fill, Repeats) {
  for (int64_t n : kLengths) {
    std::vector<double> y(static_cast<size_t>(n) + 1, 1);
    const double value = 2.5;
    fill(8, &value, y.data(), n, 2);
    EXPECT_EQ(std::count(y.begin(), y.end(), 2.5), n);
  }
  EXPECT_THROW(fill(3, nullptr, nullptr, 1, 1), Error);
}

}  // namespace
}  // namespace vf::cpu
