#include "cpu/strided_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

const size_t kSizes[] = {1, 2, 4, 8, 16};

std::vector<unsigned char> bytes(int64_t n, size_t size) {
  std::vector<unsigned char> x(static_cast<size_t>(n) * size);
  std::mt19937 engine(7);
  for (auto& b : x) b = static_cast<unsigned char>(engine());
  return x;
}

// Coordinates of element `index`.
std::vector<int64_t> coordinates(const Shape& shape, int64_t index) {
  std::vector<int64_t> c(static_cast<size_t>(shape.rank()));
  for (int i = shape.rank() - 1; i >= 0; --i) {
    c[static_cast<size_t>(i)] = index % shape[i];
    index /= shape[i];
  }
  return c;
}
int64_t index_of(const Shape& shape, const std::vector<int64_t>& c) {
  int64_t index = 0;
  for (int i = 0; i < shape.rank(); ++i) index = index * shape[i] + c[static_cast<size_t>(i)];
  return index;
}

// Element i of the result must be element source(coordinates of i) of the operand, in every size, by threads and
// objects.
template <class F>
void expect_moves(const std::function<StridedCopy(size_t)>& plan, const Shape& shape, const Shape& result, F source) {
  const int64_t n = result.num_elements();
  for (size_t size : kSizes) {
    const std::vector<unsigned char> x = bytes(shape.num_elements(), size);
    std::vector<unsigned char> expected(static_cast<size_t>(n) * size);
    for (int64_t i = 0; i < n; ++i)
      std::memcpy(expected.data() + static_cast<size_t>(i) * size,
                  x.data() + static_cast<size_t>(index_of(shape, source(coordinates(result, i)))) * size, size);
    const StridedCopy copy = plan(size);
    ASSERT_EQ(copy.num_elements(), n);
    for (int threads : {1, 2}) {
      std::vector<unsigned char> y(expected.size(), 0xee);
      copy.run(x.data(), y.data(), threads);
      ASSERT_EQ(y, expected) << shape.str() << " to " << result.str() << ", " << size << " bytes";
    }
  }
  std::vector<std::string> x(static_cast<size_t>(shape.num_elements()));
  std::vector<std::string> y(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = "string " + std::to_string(i);
  plan(sizeof(std::string)).run_objects(x.data(), y.data());
  for (int64_t i = 0; i < n; ++i)
    ASSERT_EQ(y[static_cast<size_t>(i)], x[static_cast<size_t>(index_of(shape, source(coordinates(result, i))))]);
}

TEST(TransposePlan, PermutesAxes) {
  struct {
    Shape shape;
    std::vector<int64_t> permutation;
  } const cases[] = {{{}, {}},
                     {{5}, {0}},
                     {{0, 3}, {1, 0}},
                     {{7, 5}, {1, 0}},
                     {{133, 270}, {1, 0}},
                     {{3, 1, 4}, {2, 1, 0}},
                     {{20, 3, 70}, {2, 1, 0}},
                     {{2, 19, 21, 3}, {0, 3, 1, 2}},
                     {{2, 3, 65, 33}, {0, 2, 3, 1}},
                     {{2, 64, 7, 9}, {0, 2, 3, 1}},
                     {{6, 5, 4, 7}, {3, 2, 1, 0}},
                     {{6, 5, 4, 7}, {1, 0, 2, 3}},
                     {{2, 3, 4, 5, 2, 3, 2, 2}, {7, 0, 6, 2, 1, 5, 3, 4}}};
  for (const auto& c : cases) {
    Shape result;
    for (int64_t axis : c.permutation) result.add_dim(c.shape[static_cast<int>(axis)]);
    expect_moves([&](size_t size) { return transpose_plan(size, c.shape, c.permutation); }, c.shape, result,
                 [&](const std::vector<int64_t>& at) {
                   std::vector<int64_t> from(at.size());
                   for (size_t i = 0; i < at.size(); ++i) from[static_cast<size_t>(c.permutation[i])] = at[i];
                   return from;
                 });
  }
}

TEST(TransposePlan, RefusesWhatIsNoPermutation) {
  const int64_t twice[] = {0, 0};
  const int64_t outside[] = {0, 2};
  const int64_t few[] = {0};
  EXPECT_THROW(transpose_plan(4, {2, 3}, twice), Error);
  EXPECT_THROW(transpose_plan(4, {2, 3}, outside), Error);
  EXPECT_THROW(transpose_plan(4, {2, 3}, few), Error);
}

struct Slice {
  Shape shape;
  std::vector<int64_t> begin, sizes, strides;
};

const Slice kSlices[] = {{{}, {}, {}, {}},
                         {{10}, {2}, {5}, {}},
                         {{10}, {9}, {5}, {-2}},
                         {{10}, {9}, {10}, {-1}},
                         {{10}, {1}, {3}, {3}},
                         {{10}, {10}, {0}, {1}},
                         {{200, 300}, {3, 0}, {150, 300}, {}},
                         {{200, 300}, {3, 7}, {150, 250}, {1, 1}},
                         {{60, 50}, {59, 1}, {20, 17}, {-3, 2}},
                         {{4, 5, 6}, {3, 2, 5}, {4, 1, 3}, {-1, 7, -2}},
                         {{3, 40, 50, 3}, {0, 4, 4, 0}, {3, 32, 32, 3}, {1, 1, 1, 1}}};

TEST(SlicePlan, TakesBoxes) {
  for (const Slice& c : kSlices)
    expect_moves([&](size_t size) { return slice_plan(size, c.shape, c.begin, c.sizes, c.strides); }, c.shape,
                 Shape(c.sizes),
                 [&](const std::vector<int64_t>& at) {
                   std::vector<int64_t> from(at.size());
                   for (size_t i = 0; i < at.size(); ++i)
                     from[i] = c.begin[i] + at[i] * (c.strides.empty() ? 1 : c.strides[i]);
                   return from;
                 });
}

TEST(SlicePlan, InversePutsThemBack) {
  for (const Slice& c : kSlices) {
    const StridedCopy take = slice_plan(4, c.shape, c.begin, c.sizes, c.strides);
    const int64_t n = c.shape.num_elements();
    std::vector<int32_t> whole(static_cast<size_t>(n), -1);
    std::vector<int32_t> part(static_cast<size_t>(take.num_elements()));
    std::iota(part.begin(), part.end(), 1);
    take.inverse().run(part.data(), whole.data(), 2);
    EXPECT_EQ(std::count(whole.begin(), whole.end(), -1), n - take.num_elements());
    std::vector<int32_t> again(part.size());
    take.run(whole.data(), again.data(), 1);
    EXPECT_EQ(again, part);
  }
}

TEST(SlicePlan, RefusesToLeaveTheArray) {
  const auto refused = [](std::vector<int64_t> begin, std::vector<int64_t> sizes, std::vector<int64_t> strides) {
    EXPECT_THROW(slice_plan(4, {10}, begin, sizes, strides), Error);
  };
  refused({-1}, {1}, {});
  refused({10}, {1}, {});
  refused({5}, {6}, {});
  refused({5}, {-1}, {});
  refused({0}, {2}, {0});
  refused({3}, {5}, {-1});
  refused({0}, {6}, {2});
  refused({0}, {2}, {INT64_MAX});
  refused({9}, {2}, {INT64_MIN});
  refused({1}, {INT64_MAX}, {INT64_MAX});
  refused({0}, {1}, {1, 1});
}

TEST(BroadcastPlanCopy, RepeatsElements) {
  const std::pair<Shape, Shape> cases[] = {
      {{}, {3, 4}}, {{1}, {70000}}, {{3, 1}, {3, 50}}, {{50}, {40, 50}}, {{2, 1, 3}, {5, 2, 4, 3}}};
  for (const auto& [shape, result] : cases)
    expect_moves([s = shape, r = result](size_t size) { return broadcast_plan(size, s, r); }, shape, result,
                 [s = shape](const std::vector<int64_t>& at) {
                   std::vector<int64_t> from(at.end() - s.rank(), at.end());
                   for (int i = 0; i < s.rank(); ++i)
                     if (s[i] == 1) from[static_cast<size_t>(i)] = 0;
                   return from;
                 });
  EXPECT_THROW(broadcast_plan(4, {2}, {3}), Error);
  EXPECT_THROW(broadcast_plan(4, {2, 3}, {3}), Error);
}

TEST(TilePlan, RepeatsAxes) {
  struct {
    Shape shape;
    std::vector<int64_t> multiples;
  } const cases[] = {
      {{}, {}}, {{3}, {4}}, {{3, 2}, {1, 0}}, {{30, 40}, {5, 7}}, {{2, 1, 3}, {2, 3, 1}}, {{1, 1, 1}, {2, 3, 4}}};
  for (const auto& c : cases) {
    Shape result;
    for (int i = 0; i < c.shape.rank(); ++i) result.add_dim(c.shape[i] * c.multiples[static_cast<size_t>(i)]);
    expect_moves([&](size_t size) { return tile_plan(size, c.shape, c.multiples); }, c.shape, result,
                 [&](std::vector<int64_t> at) {
                   for (int i = 0; i < c.shape.rank(); ++i) at[static_cast<size_t>(i)] %= c.shape[i];
                   return at;
                 });
  }
  const int64_t negative[] = {-1};
  EXPECT_THROW(tile_plan(4, {2}, negative), Error);
}

}  // namespace
}  // namespace vf::cpu
