// Random fills against values of real TensorFlow (tests/golden/golden_random.json), on every instruction set and number
// of threads, and their vector parts against the scalar functions of libm.
#include "cpu/random.h"

#include <gtest/gtest.h>

#include <zlib.h>
#include "cpu_test_util.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "cpu/random_distributions.h"
#include "cpu/random_kernels.h"
#include "cpu_test_util.h"
#include "golden_json.h"
#include "tensor/visit.h"
#include "varflow/error.h"

namespace vf::cpu {
namespace {

using testing::Json;

const std::vector<Json>& golden_cases() {
  static const std::vector<Json> cases = Json::golden("golden_random.json").at("cases").items();
  return cases;
}

// Strings stand for what JSON has no numbers for.
double number(const Json& value) { return value.is_text() ? -std::numeric_limits<double>::infinity() : value.number(); }

std::vector<double> flat_numbers(const Json& value) {
  if (!value.is_array()) return {number(value)};
  std::vector<double> result;
  for (const Json& item : value.items())
    for (double x : flat_numbers(item)) result.push_back(x);
  return result;
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (int64_t dim : shape) n *= dim;
  return n;
}

// Bits, so that signed zeros count as different.
template <class T>
auto bits_of(T value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return value.bits;
  else if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<uint32_t>(value);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<uint64_t>(value);
  else
    return value;
}

template <class T>
void expect_same_bits(const std::vector<T>& got, const std::vector<T>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(bits_of(got[i]), bits_of(wanted[i]))
        << "element " << i << ": " << convert<double>(got[i]) << " instead of " << convert<double>(wanted[i]);
}

template <class T>
void expect_equals(const std::vector<T>& got, const Json& run, int64_t ulps = 0) {
  const std::vector<double> numbers = std::is_integral_v<T> ? std::vector<double>{} : run.numbers();
  std::vector<T> wanted;
  if constexpr (std::is_integral_v<T>)
    for (int64_t x : run.integers()) wanted.push_back(static_cast<T>(x));
  else
    for (double x : numbers) wanted.push_back(convert<T>(x));
  if (ulps == 0) return expect_same_bits(got, wanted);
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_LE(std::abs(static_cast<int64_t>(bits_of(got[i])) - static_cast<int64_t>(bits_of(wanted[i]))), ulps)
        << "element " << i;
}

// Calls f(threads, isa) for each instruction set of this processor.
template <class F>
void for_each_way(F f) {
  for (Isa isa : supported_isas())
    for (int threads : {1, 2}) {
      SCOPED_TRACE(std::string(isa_name(isa)) + ", " + std::to_string(threads) + " threads");
      f(threads, isa);
    }
}

// One run of the op of a case: the values, and how many calls the stream moves on.
template <class T>
struct Run {
  std::vector<T> values;
  uint64_t calls;
};

template <class T>
Run<T> run_fill(const Json& c, const std::string& op, const Philox& base, int threads, Isa isa) {
  const Json inputs = c.at("inputs");
  if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>) {
    if (op == "RandomShuffle") {
      const std::string value = inputs.at("value").text();  // "range(N)" or "reshape(range(R*C),[R,C])"
      const bool matrix = value.front() != 'r' || value[1] == 'e';
      const int64_t rows = matrix ? 7 : std::stoll(value.substr(6));
      const int64_t columns = matrix ? 3 : 1;
      std::vector<int64_t> order(static_cast<size_t>(rows));
      random_permutation(base, rows, order.data());
      Run<T> run{{}, permutation_calls(rows)};
      for (int64_t row : order)
        for (int64_t column = 0; column < columns; ++column)
          run.values.push_back(static_cast<T>(row * columns + column));
      return run;
    }
    if (op == "Multinomial") {
      const std::vector<double> logits = flat_numbers(inputs.at("logits"));
      const auto batch = static_cast<int64_t>(inputs.at("logits").size());
      const int64_t samples = inputs.at("num_samples").integer();
      Run<T> run{std::vector<T>(static_cast<size_t>(batch * samples)), multinomial_calls(batch, samples)};
      fill_multinomial(base, logits.data(), batch, static_cast<int64_t>(logits.size()) / batch, samples,
                       run.values.data());
      return run;
    }
    const int64_t n = product(inputs.at("shape").integers());
    Run<T> run{std::vector<T>(static_cast<size_t>(n)), fill_calls(n)};
    fill_uniform_int(base, n, static_cast<T>(inputs.at("minval").integer()),
                     static_cast<T>(inputs.at("maxval").integer()), run.values.data(), threads, isa);
    return run;
  } else {
    const int64_t n = product(inputs.at("shape").integers());
    Run<T> run{std::vector<T>(static_cast<size_t>(n)), fill_calls(n)};
    T* out = run.values.data();
    if (op == "RandomUniform") {
      fill_uniform(base, n, out, threads, isa);
    } else if (op == "RandomStandardNormal") {
      fill_normal(base, n, out, threads, isa);
    } else if (op == "TruncatedNormal") {
      fill_truncated_normal(base, n, out, threads, isa);
    } else {
      const bool gamma = op == "RandomGamma";
      const std::vector<double> parameters = inputs.at(gamma ? "alpha" : "rate").numbers();
      const auto width = static_cast<int64_t>(parameters.size());
      run.values.resize(static_cast<size_t>(n * width));
      run.calls = fill_calls(n * width);
      if (gamma)
        fill_gamma(base, parameters.data(), width, n, run.values.data(), threads);
      else
        fill_poisson(base, parameters.data(), width, n, run.values.data(), threads);
    }
    return run;
  }
}

template <class T>
void check_runs(const Json& c, const std::string& op, const Philox& start) {
  for_each_way([&](int threads, Isa isa) {
    Philox base = start;
    for (const Json& wanted : c.at("runs").items()) {
      const Run<T> run = run_fill<T>(c, op, base, threads, isa);
      // Gamma in double goes through pow and log of libm, whose last bits are its own.
      expect_equals(run.values, wanted, op == "RandomGamma" && std::is_same_v<T, double> ? 1 : 0);
      base.skip(run.calls);
    }
  });
}

TEST(Random, EqualsTensorFlow) {
  int checked = 0;
  for (const Json& c : golden_cases()) {
    if (c.at("kind").text() != "random") continue;
    SCOPED_TRACE(c.at("op").text() + " " + c.at("dtype").text() + " " + c.at("attrs").dump() + c.at("inputs").dump());
    const std::string op = c.at("op").text();
    const Philox base = Philox::from_seeds(c.at("attrs").at("seed").integer(), c.at("attrs").at("seed2").integer());
    const DType dtype = op == "Multinomial" ? DType::Int64 : dtype_from_name(c.at("dtype").text());
    visit_number(dtype, [&]<class T>() {
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16> || std::is_floating_point_v<T> ||
                    std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>)
        check_runs<T>(c, op, base);
      else
        FAIL() << "no such case was expected";
    });
    if (::testing::Test::HasFatalFailure()) return;
    ++checked;
  }
  EXPECT_EQ(checked, 133);
}

TEST(Random, StatelessEqualsTensorFlow) {
  int checked = 0;
  for (const Json& c : golden_cases()) {
    if (c.at("kind").text() != "stateless") continue;
    const std::string call = c.at("call").text();
    SCOPED_TRACE(call + " " + c.at("dtype").text() + " " + c.at("inputs").dump());
    const std::vector<int64_t> seed = c.at("inputs").at("seed").integers();
    const Philox base = Philox::from_stateless_seed(seed[0], seed[1]);
    const std::string op = call == "tf.random.stateless_normal"             ? "RandomStandardNormal"
                           : call == "tf.random.stateless_truncated_normal" ? "TruncatedNormal"
                           : call == "tf.random.stateless_categorical"      ? "Multinomial"
                                                                            : "RandomUniform";
    const DType dtype = op == "Multinomial" ? DType::Int64 : dtype_from_name(c.at("dtype").text());
    visit_number(dtype, [&]<class T>() {
      if constexpr (std::is_same_v<T, Half> || std::is_floating_point_v<T> || std::is_same_v<T, int32_t> ||
                    std::is_same_v<T, int64_t>)
        check_runs<T>(c, op, base);
      else
        FAIL() << "no such case was expected";
    });
    if (::testing::Test::HasFatalFailure()) return;
    ++checked;
  }
  EXPECT_EQ(checked, 45);
}

template <class T>
uint32_t checksum(const std::vector<T>& values) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(values.data()), static_cast<uInt>(values.size() * sizeof(T))));
}

// Long tensors of TensorFlow 2.21, by the checksums that tests/golden/make_random_checksums.py prints.
TEST(Random, LongTensorsHaveTensorFlowsChecksums) {
  constexpr int64_t kSize = 1000003;
  const Philox base = Philox::from_seeds(11, 22);
  for_each_way([&](int threads, Isa isa) {
    std::vector<Half> h(kSize);
    std::vector<BFloat16> b(kSize);
    std::vector<float> f(kSize);
    fill_uniform(base, kSize, h.data(), threads, isa);
    EXPECT_EQ(checksum(h), 0x1999d619U);
    fill_uniform(base, kSize, b.data(), threads, isa);
    EXPECT_EQ(checksum(b), 0x787b580fU);
    fill_uniform(base, kSize, f.data(), threads, isa);
    EXPECT_EQ(checksum(f), 0x83d5b26dU);
    fill_normal(base, kSize, h.data(), threads, isa);
    EXPECT_EQ(checksum(h), 0xdbc6fbdcU);
    fill_normal(base, kSize, b.data(), threads, isa);
    EXPECT_EQ(checksum(b), 0x6744c3d3U);
    fill_normal(base, kSize, f.data(), threads, isa);
    EXPECT_EQ(checksum(f), 0x07139968U);
    fill_truncated_normal(base, kSize, h.data(), threads, isa);
    EXPECT_EQ(checksum(h), 0xb9173772U);
    fill_truncated_normal(base, kSize, b.data(), threads, isa);
    EXPECT_EQ(checksum(b), 0xe04d433eU);
    fill_truncated_normal(base, kSize, f.data(), threads, isa);
    EXPECT_EQ(checksum(f), 0x621ff2f3U);
  });
  const double alphas[] = {.3F, .999F, 1.5F, 40.F};
  std::vector<float> gammas(4 * 20000);
  fill_gamma(base, alphas, 4, 20000, gammas.data(), 2);
  EXPECT_EQ(checksum(gammas), 0xb1537546U);
  const double rates[] = {.3F, 9.99F, 10.F, 40.F, 3000.F};
  std::vector<int32_t> counts(5 * 20000);
  fill_poisson(base, rates, 5, 20000, counts.data(), 2);
  EXPECT_EQ(checksum(counts), 0x8150631fU);
  std::vector<int64_t> order(kSize);
  random_permutation(base, kSize, order.data());
  EXPECT_EQ(checksum(order), 0x4f884a34U);
}

// ---- A plain second implementation, from the words of the scalar generator and libm: golden cases are short.

float uniform_of(uint32_t word) { return static_cast<float>(word & 0x7fffffU) * 0x1p-23F; }

std::vector<float> normals_by_libm(Philox base, size_t n) {
  std::vector<float> result;
  PhiloxWords words(base);
  while (result.size() < n) {
    const float u = std::max(uniform_of(words.next()), 1e-7F);
    const float radius = std::sqrt(-2.0F * std::log(u));
    const auto angle = static_cast<float>(2 * std::numbers::pi * uniform_of(words.next()));
    result.push_back(std::sin(angle) * radius);
    result.push_back(std::cos(angle) * radius);
  }
  result.resize(n);
  return result;
}

std::vector<float> truncated_by_libm(Philox base, size_t n) {
  std::vector<float> result;
  for (; result.size() < n; base.skip(256)) {
    size_t kept = 0;
    for (float v : normals_by_libm(base, 64))
      if (kept < 4 && std::abs(v) < 2) {
        result.push_back(v);
        ++kept;
      }
  }
  result.resize(n);
  return result;
}

// A counter whose lower half overflows in the middle of the fill.
Philox near_overflow() {
  Philox base = Philox::from_seeds(42, 43);
  base.counter_low = ~uint64_t{0} - 1000;
  return base;
}

TEST(Random, BigNormalFillEqualsLibm) {
  constexpr size_t kSize = 1000003;
  const std::vector<float> wanted = normals_by_libm(near_overflow(), kSize);
  for_each_way([&](int threads, Isa isa) {
    std::vector<float> got(kSize + 1, -1);
    fill_normal(near_overflow(), kSize, got.data(), threads, isa);
    EXPECT_EQ(got.back(), -1) << "wrote beyond the end";
    got.pop_back();
    expect_same_bits(got, wanted);
  });
}

TEST(Random, BigTruncatedNormalFillEqualsLibm) {
  constexpr size_t kSize = 200002;
  const std::vector<float> wanted = truncated_by_libm(near_overflow(), kSize);
  for_each_way([&](int threads, Isa isa) {
    std::vector<float> got(kSize + 1, -1);
    fill_truncated_normal(near_overflow(), kSize, got.data(), threads, isa);
    EXPECT_EQ(got.back(), -1) << "wrote beyond the end";
    got.pop_back();
    expect_same_bits(got, wanted);
  });
}

TEST(Random, BigUniformFillsFollowTheWords) {
  constexpr size_t kSize = 100001;
  std::vector<uint32_t> words;
  PhiloxWords stream(near_overflow());
  while (words.size() < 2 * kSize) words.push_back(stream.next());
  for_each_way([&](int threads, Isa isa) {
    std::vector<float> f(kSize);
    std::vector<Half> h(kSize);
    std::vector<BFloat16> b(kSize);
    std::vector<double> d(kSize);
    fill_uniform(near_overflow(), kSize, f.data(), threads, isa);
    fill_uniform(near_overflow(), kSize, h.data(), threads, isa);
    fill_uniform(near_overflow(), kSize, b.data(), threads, isa);
    fill_uniform(near_overflow(), kSize, d.data(), threads, isa);
    for (size_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(f[i], uniform_of(words[i])) << i;
      ASSERT_EQ(h[i].bits, Half(static_cast<float>(words[i] & 0x3ffU) / 1024).bits) << i;
      ASSERT_EQ(b[i].bits, BFloat16(static_cast<float>(words[i] & 0x7fU) / 128).bits) << i;
      const double high = (words[2 * i] & 0xfffffU) * 0x1p32;
      ASSERT_EQ(d[i], (high + words[2 * i + 1]) * 0x1p-52) << i;
    }
  });
}

TEST(Random, BigUniformIntFillsFollowTheWords) {
  constexpr size_t kSize = 50001;
  std::vector<uint32_t> words;
  PhiloxWords stream(near_overflow());
  while (words.size() < 2 * kSize) words.push_back(stream.next());
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  const std::pair<int32_t, int32_t> bounds[] = {{0, 1},       {0, 2},           {-7, 1000003},
                                                {kMin, kMax}, {kMax - 3, kMax}, {0, kMax}};
  for (const auto& [low, high] : bounds) {
    std::vector<int32_t> narrow(kSize);
    std::vector<int64_t> wide(kSize);
    fill_uniform_int(near_overflow(), kSize, low, high, narrow.data(), 2);
    fill_uniform_int(near_overflow(), kSize, int64_t{low}, int64_t{high}, wide.data(), 2);
    const auto range = static_cast<uint64_t>(int64_t{high} - low);
    for (size_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(narrow[i], static_cast<int64_t>(words[i] % range) + low) << low << " " << high;
      const uint64_t both = words[2 * i] | uint64_t{words[2 * i + 1]} << 32;
      ASSERT_EQ(wide[i], static_cast<int64_t>(both % range) + low) << low << " " << high;
    }
  }
}

// half and bfloat16 normals are the float ones, rounded.
TEST(Random, SmallTypesRoundTheFloats) {
  constexpr size_t kSize = 30001;
  std::vector<float> f(kSize);
  fill_normal(near_overflow(), kSize, f.data(), 1);
  for_each_way([&](int threads, Isa isa) {
    std::vector<Half> h(kSize);
    std::vector<BFloat16> b(kSize);
    fill_normal(near_overflow(), kSize, h.data(), threads, isa);
    fill_normal(near_overflow(), kSize, b.data(), threads, isa);
    for (size_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(h[i].bits, Half(f[i]).bits) << i;
      ASSERT_EQ(b[i].bits, BFloat16(f[i]).bits) << i;
    }
  });
}

// Every length near the sizes of a call, a group and a block is a prefix of a longer fill.
TEST(Random, ShorterFillsArePrefixes) {
  constexpr int64_t kLong = 1100;
  const Philox base = Philox::from_seeds(5, 6);
  const auto check = [&]<class T>(auto fill) {
    std::vector<T> whole(kLong);
    fill(kLong, whole.data());
    for (int64_t n : {0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 258, 511, 512, 513, 514, 1024, 1026}) {
      std::vector<T> got(static_cast<size_t>(n) + 1, T(9));
      fill(n, got.data());
      EXPECT_EQ(got.back(), T(9)) << "wrote beyond " << n;
      got.pop_back();
      expect_same_bits(got, std::vector<T>(whole.begin(), whole.begin() + n));
    }
  };
  for_each_way([&](int threads, Isa isa) {
    check.operator()<float>([&](int64_t n, float* out) { fill_uniform(base, n, out, threads, isa); });
    check.operator()<double>([&](int64_t n, double* out) { fill_uniform(base, n, out, threads, isa); });
    check.operator()<float>([&](int64_t n, float* out) { fill_normal(base, n, out, threads, isa); });
    check.operator()<double>([&](int64_t n, double* out) { fill_normal(base, n, out, threads, isa); });
    check.operator()<Half>([&](int64_t n, Half* out) { fill_normal(base, n, out, threads, isa); });
    check.operator()<float>([&](int64_t n, float* out) { fill_truncated_normal(base, n, out, threads, isa); });
    check.operator()<double>([&](int64_t n, double* out) { fill_truncated_normal(base, n, out, threads, isa); });
    check.operator()<BFloat16>([&](int64_t n, BFloat16* out) { fill_truncated_normal(base, n, out, threads, isa); });
  });
}

TEST(Random, UniformIntChecksItsBounds) {
  int32_t value = 0;
  const Philox base;
  try {
    fill_uniform_int(base, 1, int32_t{5}, int32_t{5}, &value, 1);
    FAIL() << "should have thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::InvalidArgument);
    EXPECT_STREQ(error.what(), "Need minval < maxval, got 5 >= 5");
  }
  int64_t wide = 0;
  EXPECT_THROW(fill_uniform_int(base, 1, int64_t{1}, int64_t{-1}, &wide, 1), Error);
  EXPECT_NO_THROW(fill_uniform_int(base, 0, int32_t{5}, int32_t{5}, &value, 1));
}

TEST(Random, PermutationHoldsEachRowOnce) {
  for (int64_t n : {0, 1, 2, 1000}) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    random_permutation(Philox::from_seeds(1, 2), n, order.data());
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < n; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  }
  EXPECT_EQ(permutation_calls(0), 0U);
  EXPECT_EQ(permutation_calls(1), 0U);
  EXPECT_EQ(permutation_calls(2), 1U);
  EXPECT_EQ(permutation_calls(5), 1U);
  EXPECT_EQ(permutation_calls(6), 2U);
}

// What TensorFlow 2.21 gives for parameters outside the usual, and an end where it has none.
TEST(Random, DistributionsEndForAnyParameter) {
  const Philox base = Philox::from_seeds(1, 2);
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  {
    const double rates[] = {inf, -1, nan, 1e300};
    float f[4];
    fill_poisson(base, rates, 4, 1, f, 1);
    EXPECT_EQ(f[0], inf);
    EXPECT_EQ(f[1], 0);
    EXPECT_TRUE(std::isnan(f[2]));
    EXPECT_EQ(f[3], std::numeric_limits<float>::max());
    int32_t i[4];
    fill_poisson(base, rates, 4, 1, i, 1);
    EXPECT_EQ(i[0], 0);
    EXPECT_EQ(i[1], 0);
    EXPECT_EQ(i[2], 0);
    EXPECT_EQ(i[3], std::numeric_limits<int32_t>::max());
    int64_t wide[4];
    fill_poisson(base, rates, 4, 1, wide, 1);
    EXPECT_EQ(wide[3], std::numeric_limits<int64_t>::max() - 1023);
    // TensorFlow: RandomPoissonV2(shape=[3], rate=[2147483647.] in double, dtype=int32, seed=1, seed2=2).
    const double rate = 2147483647;
    int32_t large[3];
    fill_poisson(base, &rate, 1, 3, large, 1);
    EXPECT_EQ(std::vector<int32_t>(large, large + 3), (std::vector<int32_t>{2147476237, 2147411025, 2147443883}));
  }
  {
    const double alphas[] = {nan, 0, -3, inf};
    double d[4];
    fill_gamma(base, alphas, 4, 1, d, 1);
    EXPECT_TRUE(std::isnan(d[0]));
    EXPECT_EQ(d[1], 0);
    EXPECT_TRUE(std::isnan(d[2]));
    EXPECT_EQ(d[3], inf);
  }
  {
    const double logits[] = {-inf, nan};
    int64_t classes[3];
    fill_multinomial(base, logits, 1, 2, 3, classes);
    EXPECT_EQ(std::vector<int64_t>(classes, classes + 3), (std::vector<int64_t>{2, 2, 2}));
    // TensorFlow: Multinomial(logits=[[1., inf, 2., nan, 0.]], num_samples=9, seed=1, seed2=2).
    const double odd[] = {1, inf, 2, nan, 0};
    int32_t drawn[9];
    fill_multinomial(base, odd, 1, 5, 9, drawn);
    EXPECT_EQ(std::vector<int32_t>(drawn, drawn + 9), (std::vector<int32_t>{2, 2, 2, 2, 4, 2, 2, 2, 2}));
  }
}

TEST(Random, DistributionsDoNotDependOnThreads) {
  const double parameters[] = {0.5, 30};
  const Philox base = Philox::from_seeds(3, 4);
  std::vector<double> one(4000);
  std::vector<double> two(4000);
  fill_gamma(base, parameters, 2, 2000, one.data(), 1);
  fill_gamma(base, parameters, 2, 2000, two.data(), 2);
  expect_same_bits(two, one);
  fill_poisson(base, parameters, 2, 2000, one.data(), 1);
  fill_poisson(base, parameters, 2, 2000, two.data(), 2);
  expect_same_bits(two, one);
}

// The known answers of the generator's authors (Random123, kat_vectors: philox4x32, 10 rounds).
TEST(Philox, KnownAnswers) {
  const auto words = [](const Philox& p) {
    const Philox::Words w = p.words();
    return std::vector<uint32_t>(w.x, w.x + 4);
  };
  EXPECT_EQ(words(Philox{}), (std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const Philox ones{~uint64_t{0}, ~uint64_t{0}, {0xffffffff, 0xffffffff}};
  EXPECT_EQ(words(ones), (std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  const Philox pi{0x85a308d3243f6a88, 0x0370734413198a2e, {0xa4093822, 0x299f31d0}};
  EXPECT_EQ(words(pi), (std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SkipCarries) {
  Philox p{~uint64_t{0} - 1, 7, {1, 2}};
  p.skip(3);
  EXPECT_EQ(p, (Philox{1, 8, {1, 2}}));
  p.counter_high = ~uint64_t{0};
  p.counter_low = ~uint64_t{0};
  p.next();
  EXPECT_EQ(p, (Philox{0, 0, {1, 2}}));
}

}  // namespace
}  // namespace vf::cpu
