#include "cpu/cast.h"

#include <gtest/gtest.h>

#include <limits>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

// Tensor::cast converts element by element, as C does.
TEST(Cast, AgreesWithConversionByElement) {
  for (DType from : kNumberTypes) {
    for (DType to : kNumberTypes) {
      for (int64_t n : {0, 1, 17, 1000}) {
        Tensor x = random_tensor(from, {n}, 31);
        // Negative floats to unsigned integers are not defined in C.
        if (is_floating(from) && is_integer(to) && dtype_name(to)[0] == 'u')
          visit_number(from, [&]<class T>() {
            for (int64_t i = 0; i < n; ++i) x.data<T>()[i] = convert<T>(static_cast<float>(std::fabs(x.number(i))));
          });
        const Tensor expected = x.cast(to);
        for (Isa isa : supported_isas()) {
          Tensor y(to, {n});
          cast_loop(from, to, isa)(x.raw(), y.raw(), n);
          ASSERT_EQ(first_difference(y, expected), -1) << dtype_name(from) << " to " << dtype_name(to) << isa_name(isa);
        }
      }
    }
  }
}

TEST(Cast, IsTheSameOnAnyNumberOfThreads) {
  const Tensor x = random_tensor(DType::Float, {40003}, 32);
  Tensor y(DType::Half, {40003});
  cast(DType::Float, DType::Half, x.raw(), y.raw(), 40003, 2);
  EXPECT_EQ(first_difference(y, x.cast(DType::Half)), -1);
}

template <class T>
void expect_cast(const std::vector<float>& x, const std::vector<T>& wanted) {
  for (Isa isa : supported_isas()) {
    for (int64_t repeat : {1, 9}) {  // the scalar tail and the vector body
      std::vector<float> many;
      for (int64_t i = 0; i < repeat; ++i) many.insert(many.end(), x.begin(), x.end());
      Tensor y(dtype_of<T>(), {static_cast<int64_t>(many.size())});
      cast_loop(DType::Float, dtype_of<T>(), isa)(many.data(), y.raw(), y.num_elements());
      for (size_t i = 0; i < many.size(); ++i)
        EXPECT_EQ(y.data<T>()[i], wanted[i % wanted.size()]) << many[i] << dtype_name(y.dtype()) << isa_name(isa);
    }
  }
}

// Values of TensorFlow 2.21, printed by tests/golden/elementwise_edges.py.
TEST(Cast, AgreesWithTensorFlowOutOfRange) {
  const std::vector<float> x = {3e9F, -3e9F, NAN, 300.7F, -1.5F, 70000, 1e19F, 1e20F};
  expect_cast<uint8_t>(x, {0, 0, 0, 44, 255, 112, 0, 0});
  expect_cast<int8_t>(x, {0, 0, 0, 44, -1, 112, 0, 0});
  expect_cast<int16_t>(x, {0, 0, 0, 300, -1, 4464, 0, 0});
  expect_cast<uint16_t>(x, {0, 0, 0, 300, 65535, 4464, 0, 0});
  expect_cast<int32_t>(x, {INT32_MIN, INT32_MIN, INT32_MIN, 300, -1, 70000, INT32_MIN, INT32_MIN});
  expect_cast<uint32_t>(x, {3000000000U, 2147483648U, 2147483648U, 300, 4294967295U, 70000, 2147483648U, 2147483648U});
  expect_cast<int64_t>(x, {3000000000, -3000000000, INT64_MIN, 300, -1, 70000, INT64_MIN, INT64_MIN});
  expect_cast<uint64_t>(x, {3000000000U, 18446744070709551616U, 9223372036854775808U, 300, 18446744073709551615U, 70000,
                            9999999980506447872U, 9223372036854775808U});
  expect_cast<bool>(x, {true, true, true, true, true, true, true, true});
}

TEST(Cast, RoundsLargeIntegersOnce) {
  const int64_t x[] = {(1LL << 53) + 1, std::numeric_limits<int64_t>::max(), (1LL << 24) + 1};
  for (Isa isa : supported_isas()) {
    double d[3];
    float f[3];
    cast_loop(DType::Int64, DType::Double, isa)(x, d, 3);
    cast_loop(DType::Int64, DType::Float, isa)(x, f, 3);
    EXPECT_EQ(d[0], 0x1p53);
    EXPECT_EQ(d[1], 0x1p63);
    EXPECT_EQ(f[2], 0x1p24F);
  }
}

TEST(Cast, HasNoStringsOrComplex) {
  EXPECT_EQ(cast_loop(DType::String, DType::Float), nullptr);
  EXPECT_EQ(cast_loop(DType::Float, DType::Complex64), nullptr);
  EXPECT_THROW(cast(DType::Complex64, DType::Float, nullptr, nullptr, 0, 1), Error);
}

}  // namespace
}  // namespace vf::cpu
