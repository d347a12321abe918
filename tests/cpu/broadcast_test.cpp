#include "cpu/broadcast.h"

#include <gtest/gtest.h>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

int64_t source_index(const Shape& source, const Shape& result, int64_t index) {
  int64_t at = 0;
  int64_t stride = 1;
  for (int i = 1; i <= result.rank(); ++i) {
    const int64_t coordinate = index % result.dim(-i);
    index /= result.dim(-i);
    if (i > source.rank()) continue;
    at += (source.dim(-i) == 1 ? 0 : coordinate) * stride;
    stride *= source.dim(-i);
  }
  return at;
}

struct Pair {
  Shape a, b, result;
};

const Pair kPairs[] = {
    {{}, {}, {}},
    {{5}, {}, {5}},
    {{}, {3, 7}, {3, 7}},
    {{1}, {0}, {0}},
    {{4, 0, 3}, {1, 3}, {4, 0, 3}},
    {{37, 64}, {37, 64}, {37, 64}},
    {{300, 200}, {200}, {300, 200}},
    {{200}, {300, 200}, {300, 200}},
    {{300, 200}, {300, 1}, {300, 200}},
    {{5000, 10}, {10}, {5000, 10}},
    {{5000, 10}, {5000, 1}, {5000, 10}},
    {{3}, {7000, 3}, {7000, 3}},
    {{2, 33, 1, 5}, {1, 3, 1}, {2, 33, 3, 5}},
    {{17, 1}, {1, 19}, {17, 19}},
    {{2, 3, 4, 5, 6, 7}, {3, 1, 5, 1, 7}, {2, 3, 4, 5, 6, 7}},
    {{1, 2, 1, 70}, {3, 1, 5, 70}, {3, 2, 5, 70}},
    {{1, 1, 2}, {1, 1}, {1, 1, 2}},
};

TEST(BroadcastPlan, AgreesWithIndexArithmetic) {
  for (const Pair& pair : kPairs) {
    const BroadcastPlan plan(pair.a, pair.b);
    ASSERT_EQ(plan.shape(), pair.result);
    for (DType dtype : {DType::Float, DType::Double, DType::Int8, DType::Half}) {
      const Tensor a = random_tensor(dtype, pair.a, 1);
      const Tensor b = random_tensor(dtype, pair.b, 2);
      for (BinaryOp op : {BinaryOp::Sub, BinaryOp::Less}) {
        Tensor one(binary_result(op, dtype), pair.result);
        Tensor two(binary_result(op, dtype), pair.result);
        plan.run(op, dtype, a.raw(), b.raw(), one.raw(), 1);
        plan.run(op, dtype, a.raw(), b.raw(), two.raw(), 2);
        ASSERT_EQ(first_difference(one, two), -1) << pair.a.str() << pair.b.str();
        for (int64_t i = 0; i < one.num_elements(); ++i) {
          const double va = a.number(source_index(pair.a, pair.result, i));
          const double vb = b.number(source_index(pair.b, pair.result, i));
          Tensor exact(op == BinaryOp::Less ? Tensor(va < vb) : Tensor(va - vb).cast(dtype));
          ASSERT_EQ(one.number(i), exact.number(0)) << pair.a.str() << pair.b.str() << dtype_name(dtype) << " at " << i;
        }
      }
    }
  }
}

TEST(BroadcastPlan, WritesOverAnOperandInOrder) {
  const Shape big{4000, 6};
  const Shape small{6};
  const BroadcastPlan plan(big, small);
  EXPECT_TRUE(plan.in_order_a());
  EXPECT_FALSE(plan.in_order_b());
  const Tensor a = random_tensor(DType::Float, big, 1);
  const Tensor b = random_tensor(DType::Float, small, 2);
  Tensor expected(DType::Float, big);
  plan.run(BinaryOp::Mul, DType::Float, a.raw(), b.raw(), expected.raw(), 1);
  Tensor in_place = a.clone();
  plan.run(BinaryOp::Mul, DType::Float, in_place.raw(), b.raw(), in_place.raw(), 2);
  EXPECT_EQ(first_difference(in_place, expected), -1);
}

TEST(BroadcastPlan, RefusesWhatDoesNotFit) {
  try {
    const BroadcastPlan plan({2, 3}, {4});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::InvalidArgument);
    EXPECT_STREQ(e.what(), "Incompatible shapes: [2,3] vs. [4]");
  }
  EXPECT_THROW(BroadcastPlan({1}, {1}).run(BinaryOp::TanhGrad, DType::Int32, nullptr, nullptr, nullptr, 1), Error);
}

}  // namespace
}  // namespace vf::cpu
