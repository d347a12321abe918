// The vector forms of exp, log, ... in float against long double over all exponents, on every instruction set.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "cpu/elementwise.h"
#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

// Every 4,099th float, of both signs, and the ends of the ranges.
std::vector<float> sweep() {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < (1ULL << 32); bits += 4099)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  for (float special : {0.0F,   -0.0F,   1.0F,     -1.0F,     INFINITY,    -INFINITY, 88.72283F, 88.72284F,
                        -87.3F, -103.9F, -104.1F,  0x1p-149F, -0x1p-149F,  0x1p-126F, 0.7F,      0.69999999F,
                        -0.7F,  1e-30F,  0x1p-25F, 0x1p-24F,  0.99999994F, 4.0F})
    x.push_back(special);
  // Where the results are neither 0 nor infinite.
  for (int i = -200000; i <= 200000; ++i) x.push_back(static_cast<float>(i) * 5.2e-4F);
  return x;
}

// Units in the last place of a float of this size; those of subnormal numbers are all 2^-149.
long double ulp_of(long double value) {
  const long double magnitude = std::fmax(std::fabs(value), 0x1p-126L);
  return std::ldexp(1.0L, std::ilogb(magnitude) - 23);
}

struct Case {
  UnaryOp op;
  const char* name;
  long double (*exact)(long double);
  long double bound;
};

const Case kCases[] = {
    {UnaryOp::Exp, "exp", [](long double x) { return std::exp(x); }, 0.9L},
    {UnaryOp::Expm1, "expm1", [](long double x) { return std::expm1(x); }, 1.7L},
    {UnaryOp::Log, "log", [](long double x) { return std::log(x); }, 0.9L},
    {UnaryOp::Log1p, "log1p", [](long double x) { return std::log1p(x); }, 0.9L},
    {UnaryOp::Tanh, "tanh", [](long double x) { return std::tanh(x); }, 1.2L},
    {UnaryOp::Sigmoid, "sigmoid", [](long double x) { return 1.0L / (1.0L + std::exp(-x)); }, 2.2L},
    {UnaryOp::Softplus, "softplus",
     [](long double x) { return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }, 1.6L},
    {UnaryOp::Erf, "erf", [](long double x) { return std::erf(x); }, 1.2L},
};

TEST(FloatMath, StaysWithinItsUlps) {
  const std::vector<float> x = sweep();
  std::vector<float> y(x.size());
  for (const Case& c : kCases) {
    unary_loop(c.op, DType::Float)(x.data(), y.data(), static_cast<int64_t>(x.size()));
    long double worst = 0;
    float at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const long double exact = c.exact(x[i]);
      if (std::isnan(exact)) {
        ASSERT_TRUE(std::isnan(y[i])) << c.name << "(" << x[i] << ") = " << y[i];
      } else if (std::fabs(exact) >= 0x1.ffffffp127L) {  // rounds to infinity
        ASSERT_EQ(y[i], std::copysign(INFINITY, static_cast<float>(exact))) << c.name << "(" << x[i] << ")";
      } else {
        const long double error = std::fabs(y[i] - exact) / ulp_of(exact);
        if (!(error <= worst)) {
          worst = error;
          at = x[i];
        }
      }
    }
    EXPECT_LE(worst, c.bound) << c.name << " at " << at;
    RecordProperty(c.name, std::to_string(worst));
  }
}

TEST(FloatMath, IsTheSameOnEveryInstructionSetAndSplit) {
  const std::vector<float> x = sweep();
  const auto n = static_cast<int64_t>(x.size());
  std::vector<float> expected(x.size());
  std::vector<float> y(x.size());
  for (const Case& c : kCases) {
    for (Isa isa : supported_isas()) {
      const UnaryLoop loop = unary_loop(c.op, DType::Float, isa);
      if (isa == supported_isas().front()) {
        loop(x.data(), expected.data(), n);
        continue;
      }
      // Odd pieces, so that vector bodies and their tails both see each kind of value.
      for (int64_t i = 0, piece = 1; i < n; i += piece, piece = piece % 61 + 1)
        loop(x.data() + i, y.data() + i, std::min(piece, n - i));
      for (size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(expected[i]) && std::isnan(y[i])) continue;
        ASSERT_EQ(std::bit_cast<uint32_t>(y[i]), std::bit_cast<uint32_t>(expected[i]))
            << c.name << "(" << x[i] << ") on " << isa_name(isa);
      }
    }
  }
}

TEST(FloatMath, KeepsTheSignOfZero) {
  const float x[] = {-0.0F, 0.0F};
  for (UnaryOp op : {UnaryOp::Expm1, UnaryOp::Log1p, UnaryOp::Tanh, UnaryOp::Erf}) {
    float y[2] = {1, 1};
    unary_loop(op, DType::Float)(x, y, 2);
    EXPECT_TRUE(y[0] == 0 && std::signbit(y[0]));
    EXPECT_TRUE(y[1] == 0 && !std::signbit(y[1]));
  }
}

}  // namespace
}  // namespace vf::cpu
