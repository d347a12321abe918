#include "cpu/dnnl/matmul.h"

#include <gtest/gtest.h>

#include "cpu/dnnl_test_util.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {
namespace {

// `a_of` and `b_of`: number of the operand's matrix for each matrix of the result.
void check(const MatmulShape& s, const std::vector<int64_t>& a_of, const std::vector<int64_t>& b_of, int threads) {
  SCOPED_TRACE(testing::Message() << s.m << 'x' << s.k << 'x' << s.n << " transposed " << s.transpose_a << s.transpose_b
                                  << " batch " << a_of.size() << " threads " << threads);
  int64_t batch_a = 1, batch_b = 1;
  for (int64_t d : s.batch_a) batch_a *= d;
  for (int64_t d : s.batch_b) batch_b *= d;
  const std::vector<float> a = random_floats(batch_a * s.m * s.k, 1), b = random_floats(batch_b * s.k * s.n, 2),
                           bias = random_floats(s.n, 3);
  for (const bool with_bias : {false, true})
    for (const bool relu : {false, true}) {
      std::vector<Sum> want;
      for (size_t p = 0; p < a_of.size(); ++p)
        for (int64_t i = 0; i < s.m; ++i)
          for (int64_t j = 0; j < s.n; ++j) {
            Sum sum;
            if (with_bias) sum.add(bias[j]);
            for (int64_t l = 0; l < s.k; ++l)
              sum.add(double{a[a_of[p] * s.m * s.k + (s.transpose_a ? l * s.m + i : i * s.k + l)]} *
                      b[b_of[p] * s.k * s.n + (s.transpose_b ? j * s.k + l : l * s.n + j)]);
            if (relu) sum.value = std::max(sum.value, 0.0);
            want.push_back(sum);
          }
      auto f = Matmul::make(s, {.threads = threads, .bias = with_bias, .relu = relu});
      ASSERT_TRUE(f);
      std::vector<float> got = unwritten(static_cast<int64_t>(want.size()));
      const Scratch scratch(f->scratch_bytes());
      f->run(a.data(), b.data(), with_bias ? bias.data() : nullptr, got.data(), scratch.data());
      expect_near(got, want);
    }
}

TEST(DnnlMatmul, MultipliesMatrices) {
  for (const int threads : {1, 2})
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        for (const auto& [m, k, n] : std::vector<std::array<int64_t, 3>>{
                 {1, 1, 1}, {3, 5, 7}, {64, 48, 32}, {1, 200, 65}, {129, 1, 33}, {67, 131, 1}, {33, 300, 17}})
          check({.m = m, .k = k, .n = n, .transpose_a = transpose_a, .transpose_b = transpose_b}, {0}, {0}, threads);
}

TEST(DnnlMatmul, MultipliesBatches) {
  for (const int threads : {1, 2})
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        MatmulShape s{.m = 9, .k = 33, .n = 20, .transpose_a = transpose_a, .transpose_b = transpose_b};
        s.batch_a = s.batch_b = {2, 3};
        check(s, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}, threads);
      }
}

TEST(DnnlMatmul, BroadcastsBatches) {
  for (const int threads : {1, 2})
    for (const bool transpose_a : {false, true}) {
      MatmulShape s{.m = 9, .k = 33, .n = 20, .transpose_a = transpose_a};
      s.batch_a = {2, 3};
      s.batch_b = {};
      check(s, {0, 1, 2, 3, 4, 5}, {0, 0, 0, 0, 0, 0}, threads);
      s.batch_b = {3};
      check(s, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 0, 1, 2}, threads);
      s.batch_b = {2, 1};
      check(s, {0, 1, 2, 3, 4, 5}, {0, 0, 0, 1, 1, 1}, threads);
      s.batch_a = {2, 1};
      s.batch_b = {1, 3};
      check(s, {0, 0, 0, 1, 1, 1}, {0, 1, 2, 0, 1, 2}, threads);
      s.batch_a = {};
      s.batch_b = {4};
      check(s, {0, 0, 0, 0}, {0, 1, 2, 3}, threads);
    }
}

TEST(DnnlMatmul, ComputesWithBfloat16) {
  const MatmulShape s{.m = 9, .k = 70, .n = 33};
  auto f = Matmul::make(s, {.dtype = DType::BFloat16, .threads = 2});
  if (!f) GTEST_SKIP() << "no bfloat16 on this processor";
  std::vector<float> a = random_floats(s.m * s.k, 1), b = random_floats(s.k * s.n, 2);
  const std::vector<BFloat16> small_a = round_to_bfloat16(a), small_b = round_to_bfloat16(b);
  std::vector<Sum> want(static_cast<size_t>(s.m * s.n));
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j)
      for (int64_t l = 0; l < s.k; ++l) want[i * s.n + j].add(double{a[i * s.k + l]} * b[l * s.n + j]);
  std::vector<BFloat16> got(want.size());
  const Scratch scratch(f->scratch_bytes());
  f->run(small_a.data(), small_b.data(), nullptr, got.data(), scratch.data());
  expect_near(widened(got), want, kBfloat16Tolerance);
}

TEST(DnnlMatmul, OfNothingIsNothing) {
  check({.m = 0, .k = 3, .n = 4}, {0}, {0}, 1);
  check({.batch_a = {0}, .batch_b = {0}, .m = 2, .k = 3, .n = 4}, {}, {}, 1);
  EXPECT_FALSE(Matmul::make({.m = 2, .k = 0, .n = 4}, {}));
}

TEST(DnnlMatmul, RefusesWhatDoesNotBroadcast) {
  EXPECT_THROW(Matmul::make({.batch_a = {2}, .batch_b = {3}, .m = 2, .k = 3, .n = 4}, {}), Error);
  EXPECT_FALSE(Matmul::make({.m = 2, .k = 3, .n = 4}, {.dtype = DType::Double}));
}

}  // namespace
}  // namespace vf::cpu::dnnl
