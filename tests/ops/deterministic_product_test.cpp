// Products in shards of rows, which deterministic sessions compute: the same numbers as in double, and the same bits on
// any number of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "varflow/varflow.h"

namespace vf {
namespace {

Tensor product(DType dtype, const Shape& a, const Shape& b, bool transpose_a, bool transpose_b, int threads) {
  Graph graph;
  const auto values = [&](const Shape& shape) {
    Tensor t(dtype, shape);
    for (int64_t i = 0; i < t.num_elements(); ++i) {
      const auto x = static_cast<float>(std::sin(static_cast<double>(i * i)));
      if (dtype == DType::Float)
        t.data<float>()[i] = x;
      else
        t.data<double>()[i] = x;
    }
    return t;
  };
  const Output x = placeholder(graph, dtype, a), y = placeholder(graph, dtype, b);
  const Output z = make("MatMul", {x, y}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
  Session session(graph, {.threads = threads, .deterministic = true});
  return session.run(z, {{x, values(a)}, {y, values(b)}});
}

TEST(DeterministicProduct, IsTheProductOnAnyNumberOfThreads) {
  constexpr int64_t kRows = 203, kInner = 37, kColumns = 20;  // shards of 33 and 34 rows
  for (const bool transpose_a : {false, true})
    for (const bool transpose_b : {false, true}) {
      SCOPED_TRACE(testing::Message() << transpose_a << transpose_b);
      const Shape a = transpose_a ? Shape{kInner, kRows} : Shape{kRows, kInner};
      const Shape b = transpose_b ? Shape{kColumns, kInner} : Shape{kInner, kColumns};
      const Tensor exact = product(DType::Double, a, b, transpose_a, transpose_b, 1);
      const Tensor one = product(DType::Float, a, b, transpose_a, transpose_b, 1);
      for (int64_t i = 0; i < exact.num_elements(); ++i)
        ASSERT_NEAR(one.data<float>()[i], exact.data<double>()[i], 2e-5) << "element " << i;
      for (const int threads : {2, 3})
        EXPECT_EQ(
            std::memcmp(one.raw(), product(DType::Float, a, b, transpose_a, transpose_b, threads).raw(), one.bytes()),
            0);
    }
}

}  // namespace
}  // namespace vf
