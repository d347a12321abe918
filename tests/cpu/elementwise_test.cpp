#include "cpu/elementwise.h"

#include <gtest/gtest.h>

#include <limits>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

using U = UnaryOp;
using B = BinaryOp;

struct UnaryCase {
  U op;
  const char* name;
  double (*exact)(double);
};

double selu(double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }

const UnaryCase kUnary[] = {
    {U::Neg, "neg", [](double x) { return -x; }},
    {U::Abs, "abs", [](double x) { return std::fabs(x); }},
    {U::Sign, "sign", [](double x) { return x > 0   ? 1.0
                                            : x < 0 ? -1.0
                                                    : 0.0; }},
    {U::Square, "square", [](double x) { return x * x; }},
    {U::Sqrt, "sqrt", [](double x) { return std::sqrt(x); }},
    {U::Rsqrt, "rsqrt", [](double x) { return 1 / std::sqrt(x); }},
    {U::Reciprocal, "reciprocal", [](double x) { return 1 / x; }},
    {U::Exp, "exp", [](double x) { return std::exp(x); }},
    {U::Expm1, "expm1", [](double x) { return std::expm1(x); }},
    {U::Log, "log", [](double x) { return std::log(x); }},
    {U::Log1p, "log1p", [](double x) { return std::log1p(x); }},
    {U::Tanh, "tanh", [](double x) { return std::tanh(x); }},
    {U::Sigmoid, "sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
    {U::Softplus, "softplus", [](double x) { return std::log1p(std::exp(x)); }},
    {U::Erf, "erf", [](double x) { return std::erf(x); }},
    {U::Relu, "relu", [](double x) { return std::fmax(x, 0); }},
    {U::Relu6, "relu6", [](double x) { return std::fmin(std::fmax(x, 0), 6); }},
    {U::Elu, "elu", [](double x) { return x > 0 ? x : std::expm1(x); }},
    {U::Selu, "selu", selu},
    {U::Softsign, "softsign", [](double x) { return x / (1 + std::fabs(x)); }},
    {U::Floor, "floor", [](double x) { return std::floor(x); }},
    {U::Ceil, "ceil", [](double x) { return std::ceil(x); }},
    {U::Rint, "rint", [](double x) { return std::nearbyint(x); }},
    {U::Sin, "sin", [](double x) { return std::sin(x); }},
    {U::Cos, "cos", [](double x) { return std::cos(x); }},
    {U::Tan, "tan", [](double x) { return std::tan(x); }},
    {U::Asin, "asin", [](double x) { return std::asin(x); }},
    {U::Acos, "acos", [](double x) { return std::acos(x); }},
    {U::Atan, "atan", [](double x) { return std::atan(x); }},
    {U::Sinh, "sinh", [](double x) { return std::sinh(x); }},
    {U::Cosh, "cosh", [](double x) { return std::cosh(x); }},
    {U::Asinh, "asinh", [](double x) { return std::asinh(x); }},
    {U::Acosh, "acosh", [](double x) { return std::acosh(x); }},
    {U::Atanh, "atanh", [](double x) { return std::atanh(x); }},
    {U::Erfc, "erfc", [](double x) { return std::erfc(x); }},
    {U::Lgamma, "lgamma", [](double x) { return std::lgamma(x); }},
};

// Values wrap or round into the type as the loops' results do.
double rounded(DType dtype, double value) {
  return visit_number(dtype, [&]<class T>() -> double {
    if constexpr (std::is_integral_v<T>)
      return static_cast<double>(static_cast<T>(static_cast<int64_t>(value)));
    else
      return static_cast<double>(convert<double>(convert<T>(value)));
  });
}

void expect_close(DType dtype, double got, double exact, double ulps, const std::string& where) {
  if (std::isnan(exact) || std::isinf(exact)) {
    EXPECT_TRUE(std::isnan(exact) ? std::isnan(got) : got == exact) << where << " got " << got << " not " << exact;
    return;
  }
  EXPECT_LE(std::fabs(got - exact), ulps * epsilon(dtype) * std::fmax(std::fabs(exact), 1e-4))
      << where << " is " << got;
}

TEST(UnaryLoop, AgreesWithTheMathematics) {
  for (const UnaryCase& c : kUnary) {
    for (DType dtype : kNumberTypes) {
      const UnaryLoop loop = unary_loop(c.op, dtype);
      if (!loop) {
        EXPECT_FALSE(is_floating(dtype)) << c.name;
        continue;
      }
      for (int64_t n : kLengths) {
        const Tensor x = random_tensor(dtype, {n}, 3);
        Tensor y(dtype, {n});
        loop(x.raw(), y.raw(), n);
        for (int64_t i = 0; i < n; ++i) {
          const double in = x.number(i);
          if (c.op == U::Reciprocal && in == 0) continue;
          expect_close(dtype, y.number(i), rounded(dtype, c.exact(in)), 4,
                       std::string(c.name) + " of " + dtype_name(dtype) + " " + std::to_string(in));
        }
      }
    }
  }
}

struct BinaryCase {
  B op;
  const char* name;
  double (*exact)(double, double);
};

double floor_mod(double a, double b) { return a - std::floor(a / b) * b; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

const BinaryCase kBinary[] = {
    {B::Add, "add", [](double a, double b) { return a + b; }},
    {B::Sub, "sub", [](double a, double b) { return a - b; }},
    {B::Mul, "mul", [](double a, double b) { return a * b; }},
    {B::Div, "div", [](double a, double b) { return a / b; }},
    {B::FloorDiv, "floordiv", [](double a, double b) { return std::floor(a / b); }},
    {B::FloorMod, "floormod", floor_mod},
    {B::TruncateMod, "truncatemod", [](double a, double b) { return std::fmod(a, b); }},
    {B::DivNoNan, "divnonan", [](double a, double b) { return b == 0 ? 0 : a / b; }},
    {B::MulNoNan, "mulnonan", [](double a, double b) { return a * b; }},
    {B::Pow, "pow", [](double a, double b) { return std::pow(a, b); }},
    {B::Maximum, "maximum", [](double a, double b) { return std::fmax(a, b); }},
    {B::Minimum, "minimum", [](double a, double b) { return std::fmin(a, b); }},
    {B::SquaredDifference, "squareddifference", [](double a, double b) { return (a - b) * (a - b); }},
    {B::Atan2, "atan2", [](double a, double b) { return std::atan2(a, b); }},
    {B::Xlogy, "xlogy", [](double a, double b) { return a == 0 ? 0 : a * std::log(b); }},
    {B::Xdivy, "xdivy", [](double a, double b) { return a == 0 ? 0 : a / b; }},
    {B::Equal, "equal", [](double a, double b) { return double(a == b); }},
    {B::NotEqual, "notequal", [](double a, double b) { return double(a != b); }},
    {B::Less, "less", [](double a, double b) { return double(a < b); }},
    {B::LessEqual, "lessequal", [](double a, double b) { return double(a <= b); }},
    {B::Greater, "greater", [](double a, double b) { return double(a > b); }},
    {B::GreaterEqual, "greaterequal", [](double a, double b) { return double(a >= b); }},
    {B::LogicalAnd, "logicaland", [](double a, double b) { return double(a != 0 && b != 0); }},
    {B::LogicalOr, "logicalor", [](double a, double b) { return double(a != 0 || b != 0); }},
    {B::SigmoidGrad, "sigmoidgrad", [](double y, double g) { return g * y * (1 - y); }},
    {B::TanhGrad, "tanhgrad", [](double y, double g) { return g * (1 - y * y); }},
    {B::SqrtGrad, "sqrtgrad", [](double y, double g) { return g / (2 * y); }},
    {B::RsqrtGrad, "rsqrtgrad", [](double y, double g) { return -0.5 * g * y * y * y; }},
    {B::ReciprocalGrad, "reciprocalgrad", [](double y, double g) { return -g * y * y; }},
    {B::ReluGrad, "relugrad", [](double g, double x) { return x > 0 ? g : 0; }},
    {B::Relu6Grad, "relu6grad", [](double g, double x) { return x > 0 && x < 6 ? g : 0; }},
    {B::EluGrad, "elugrad", [](double g, double y) { return y < 0 ? g * (y + 1) : g; }},
    {B::SeluGrad, "selugrad",
     [](double g, double y) { return y < 0 ? g * (y + 1.7580993408473766) : g * 1.0507009873554805; }},
    {B::SoftplusGrad, "softplusgrad", [](double g, double x) { return g * sigmoid(x); }},
    {B::SoftsignGrad, "softsigngrad", [](double g, double x) { return g / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }},
};

bool divides(B op) { return op == B::Div || op == B::FloorDiv || op == B::FloorMod || op == B::TruncateMod; }

TEST(BinaryLoop, AgreesWithTheMathematicsInAllForms) {
  for (const BinaryCase& c : kBinary) {
    for (DType dtype : kNumberTypes) {
      const BinaryLoops loops = binary_loops(c.op, dtype);
      if (!loops) continue;
      const DType result = binary_result(c.op, dtype);
      for (int64_t n : {1, 17, 1300}) {
        const Tensor a = random_tensor(dtype, {n}, 5);
        const Tensor b = random_tensor(dtype, {n}, 6);
        for (int form = 0; form < 3; ++form) {
          Tensor y(result, {n});
          (form == 0 ? loops.both : form == 1 ? loops.scalar_b : loops.scalar_a)(a.raw(), b.raw(), y.raw(), n);
          for (int64_t i = 0; i < n; ++i) {
            const double va = a.number(form == 2 ? 0 : i);
            const double vb = b.number(form == 1 ? 0 : i);
            const bool integer = is_integer(dtype);
            if (integer && ((divides(c.op) && vb == 0) || c.op == B::Pow)) continue;
            double exact = c.exact(va, vb);
            if (c.op == B::Div && integer) exact = std::trunc(exact);
            // Quotients and remainders on the verge of an integer say nothing in a type of fewer bits.
            const double quotient = va / vb;
            if (!integer && divides(c.op) && c.op != B::Div && std::fabs(quotient - std::round(quotient)) < 0.05)
              continue;
            const double scale =
                c.op == B::TanhGrad || c.op == B::SigmoidGrad || c.op == B::EluGrad || c.op == B::SeluGrad
                    ? std::fmax(1.0, std::fabs(va) * std::fabs(vb) * 8)
                    : 1.0;
            if (result == DType::Bool)
              EXPECT_EQ(y.number(i), exact) << c.name << " of " << dtype_name(dtype) << ' ' << va << ' ' << vb;
            else
              expect_close(dtype, y.number(i), rounded(dtype, exact),
                           4 * scale / std::fmin(1.0, std::fmax(std::fabs(exact), 1e-2)),
                           std::string(c.name) + " of " + dtype_name(dtype) + " " + std::to_string(va) + " " +
                               std::to_string(vb));
          }
        }
      }
    }
  }
}

TEST(Loops, AreTheSameOnEveryInstructionSet) {
  const int64_t n = 1013;
  const Isa least = supported_isas().front();
  for (DType dtype : kNumberTypes) {
    const Tensor a = random_tensor(dtype, {n}, 7, true);
    const Tensor b = random_tensor(dtype, {n}, 8, true);
    for (Isa isa : supported_isas()) {
      for (int op = 0; op < static_cast<int>(U::kCount); ++op) {
        const U unary = static_cast<U>(op);
        if (!unary_loop(unary, dtype, isa)) continue;
        Tensor expected(unary_result(unary, dtype), {n});
        Tensor y(unary_result(unary, dtype), {n});
        unary_loop(unary, dtype, least)(a.raw(), expected.raw(), n);
        unary_loop(unary, dtype, isa)(a.raw(), y.raw(), n);
        ASSERT_EQ(first_difference(y, expected), -1) << "unary " << op << dtype_name(dtype) << isa_name(isa);
        if (y.dtype() != dtype) continue;
        Tensor in_place = a.clone();
        unary_loop(unary, dtype, isa)(in_place.raw(), in_place.raw(), n);
        ASSERT_EQ(first_difference(in_place, expected), -1) << "unary in place " << op << dtype_name(dtype);
      }
      for (int op = 0; op < static_cast<int>(B::kCount); ++op) {
        const B binary = static_cast<B>(op);
        const BinaryLoops loops = binary_loops(binary, dtype, isa);
        if (!loops) continue;
        Tensor expected(binary_result(binary, dtype), {n});
        Tensor y(binary_result(binary, dtype), {n});
        binary_loops(binary, dtype, least).both(a.raw(), b.raw(), expected.raw(), n);
        loops.both(a.raw(), b.raw(), y.raw(), n);
        ASSERT_EQ(first_difference(y, expected), -1) << "binary " << op << dtype_name(dtype) << isa_name(isa);
        if (y.dtype() != dtype) continue;
        Tensor in_place = b.clone();
        loops.both(a.raw(), in_place.raw(), in_place.raw(), n);
        ASSERT_EQ(first_difference(in_place, expected), -1) << "binary in place " << op << dtype_name(dtype);
      }
    }
  }
}

TEST(Loops, AreDefinedWhereTheTypesAllow) {
  EXPECT_EQ(unary_loop(U::Exp, DType::Int32), nullptr);
  EXPECT_EQ(unary_loop(U::Neg, DType::Bool), nullptr);
  EXPECT_EQ(unary_loop(U::Neg, DType::String), nullptr);
  EXPECT_EQ(unary_loop(U::LogicalNot, DType::Float), nullptr);
  EXPECT_NE(unary_loop(U::Invert, DType::UInt64), nullptr);
  EXPECT_FALSE(binary_loops(B::BitwiseAnd, DType::Float));
  EXPECT_FALSE(binary_loops(B::TanhGrad, DType::Int64));
  EXPECT_TRUE(binary_loops(B::Equal, DType::Bool));
  EXPECT_THROW(run_unary(U::Exp, DType::Int32, nullptr, nullptr, 0, 1), Error);
}

float apply(B op, float a, float b) {
  float y = 99;
  binary_loops(op, DType::Float).both(&a, &b, &y, 1);
  return y;
}
float apply(U op, float x) {
  float y = 99;
  unary_loop(op, DType::Float)(&x, &y, 1);
  return y;
}
int32_t apply(B op, int32_t a, int32_t b) {
  int32_t y = 99;
  binary_loops(op, DType::Int32).both(&a, &b, &y, 1);
  return y;
}
bool same(float a, float b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

// Values of TensorFlow 2.21, printed by tests/golden/elementwise_edges.py.
TEST(Loops, AgreeWithTensorFlowAtTheEdges) {
  const float nan = NAN;
  const float inf = INFINITY;
  struct {
    B op;
    float a, b, y;
  } const binary[] = {{B::Maximum, nan, 1, nan},      {B::Maximum, 1, nan, nan},     {B::Maximum, -0.0F, 0, -0.0F},
                      {B::Maximum, 0, -0.0F, 0},      {B::Minimum, nan, 1, nan},     {B::Minimum, 1, nan, nan},
                      {B::Minimum, -0.0F, 0, -0.0F},  {B::Minimum, 0, -0.0F, 0},     {B::ReluGrad, -1, -1, -0.0F},
                      {B::ReluGrad, nan, -1, nan},    {B::ReluGrad, 2, nan, 0},      {B::ReluGrad, 2, 3, 2},
                      {B::ReluGrad, 2, 0, 0},         {B::Relu6Grad, -1, 7, -0.0F},  {B::Relu6Grad, 2, 3, 2},
                      {B::FloorMod, 5.5F, -2, -0.5F}, {B::FloorMod, -5.5F, 2, 0.5F}, {B::FloorMod, -0.0F, 3, -0.0F},
                      {B::FloorMod, 4, -2, 0},        {B::FloorMod, -5, inf, inf},   {B::FloorDiv, 5.5F, -2, -3},
                      {B::FloorDiv, 1, 0, inf},       {B::Xlogy, 0, nan, 0},         {B::Xlogy, nan, 0, nan},
                      {B::MulNoNan, 0, nan, nan},     {B::MulNoNan, nan, 0, 0},      {B::DivNoNan, nan, 0, 0},
                      {B::DivNoNan, 0, nan, nan}};
  for (const auto& c : binary)
    EXPECT_TRUE(same(apply(c.op, c.a, c.b), c.y)) << static_cast<int>(c.op) << ": " << c.a << ' ' << c.b;
  struct {
    U op;
    float x, y;
  } const unary[] = {{U::Sign, nan, nan}, {U::Sign, -0.0F, 0},     {U::Sign, -2, -1},
                     {U::Relu, nan, nan}, {U::Relu, -0.0F, -0.0F}, {U::Rint, 0.5F, 0},
                     {U::Rint, 1.5F, 2},  {U::Rint, -0.5F, -0.0F}, {U::Rint, 2.5F, 2}};
  for (const auto& c : unary) EXPECT_TRUE(same(apply(c.op, c.x), c.y)) << static_cast<int>(c.op) << ": " << c.x;
  struct {
    B op;
    int32_t a, b, y;
  } const integers[] = {{B::LeftShift, 1, -1, 1},    {B::LeftShift, 1, 40, INT32_MIN}, {B::RightShift, -8, -1, -8},
                        {B::RightShift, 8, 40, 0},   {B::FloorDiv, -7, 2, -4},         {B::FloorDiv, 7, -2, -4},
                        {B::FloorMod, -7, 2, 1},     {B::FloorMod, 7, -2, -1},         {B::Div, -7, 2, -3},
                        {B::TruncateMod, -7, 2, -1}, {B::TruncateMod, 7, -2, 1}};
  for (const auto& c : integers)
    EXPECT_EQ(apply(c.op, c.a, c.b), c.y) << static_cast<int>(c.op) << ": " << c.a << ' ' << c.b;
}

TEST(Loops, IntegersNeitherTrapNorOverflow) {
  const int32_t least = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(apply(B::Div, least, -1), least);
  EXPECT_EQ(apply(B::FloorMod, least, -1), 0);
  EXPECT_EQ(apply(B::Div, 5, 0), 0);
  EXPECT_EQ(apply(B::TruncateMod, 5, 0), 0);
  EXPECT_EQ(apply(B::Add, least, -1), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(apply(B::Mul, 65536, 65536), 0);
  EXPECT_EQ(apply(B::Pow, -3, 3), -27);
  EXPECT_EQ(apply(B::Pow, 2, 40), 0);
  EXPECT_EQ(apply(B::Pow, 0, 0), 1);
  EXPECT_EQ(apply(B::Pow, 2, -1), 0);
  EXPECT_EQ(apply(B::Pow, -1, -3), -1);
  const int32_t with_zero[] = {3, 0, -2};
  EXPECT_TRUE(contains_zero(DType::Int32, with_zero, 3));
  EXPECT_FALSE(contains_zero(DType::Int32, with_zero, 1));
  EXPECT_TRUE(contains_negative(DType::Int32, with_zero, 3));
  EXPECT_FALSE(contains_negative(DType::Int32, with_zero, 2));
}

TEST(RunUnary, IsTheSameOnAnyNumberOfThreads) {
  for (int64_t n : kLengths) {
    const Tensor x = random_tensor(DType::Float, {n}, 9);
    Tensor one(DType::Float, {n});
    Tensor two(DType::Float, {n});
    run_unary(U::Tanh, DType::Float, x.raw(), one.raw(), n, 1);
    run_unary(U::Tanh, DType::Float, x.raw(), two.raw(), n, 2);
    EXPECT_EQ(first_difference(one, two), -1) << n;
  }
}

TEST(LeakyRelu, ScalesTheNegativeSide) {
  const float x[] = {-2, 0, 3};
  float y[3];
  leaky_relu(DType::Float, 0.5F, x, y, 3, 1);
  EXPECT_EQ(std::vector<float>(y, y + 3), (std::vector<float>{-1, 0, 3}));
  const float g[] = {4, 6, 8};
  leaky_relu_grad(DType::Float, 0.5F, g, x, y, 3, 2);
  EXPECT_EQ(std::vector<float>(y, y + 3), (std::vector<float>{2, 3, 8}));
}

}  // namespace
}  // namespace vf::cpu
