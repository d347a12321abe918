#include "cpu/optimizers.h"

#include <gtest/gtest.h>

#include "cpu_test_util.h"

namespace vf::cpu {
namespace {

constexpr double kRate = 0.1;
constexpr double kMomentum = 0.9;
constexpr Adam kAdam{0.001, 0.9, 0.999, 1e-8, 0.729, 0.997, false};

// The rules, one rounding an operation. The build forbids contraction, also here.
template <class T>
struct Slow {
  std::vector<T> w, a, m, v, g;

  void gradient_descent() {
    for (size_t i = 0; i < w.size(); ++i) w[i] = w[i] - g[i] * T(kRate);
  }
  void momentum(bool nesterov) {
    for (size_t i = 0; i < w.size(); ++i) {
      a[i] = a[i] * T(kMomentum) + g[i];
      w[i] = nesterov ? w[i] - (g[i] * T(kRate) + (a[i] * T(kMomentum)) * T(kRate)) : w[i] - a[i] * T(kRate);
    }
  }
  void adam(bool nesterov) {
    const T alpha = T(kAdam.rate) * std::sqrt(T(1) - T(kAdam.beta2_power)) / (T(1) - T(kAdam.beta1_power));
    for (size_t i = 0; i < w.size(); ++i) {
      m[i] = m[i] + (g[i] - m[i]) * (T(1) - T(kAdam.beta1));
      v[i] = v[i] + (g[i] * g[i] - v[i]) * (T(1) - T(kAdam.beta2));
      const T numerator = nesterov ? g[i] * (T(1) - T(kAdam.beta1)) + T(kAdam.beta1) * m[i] : m[i];
      w[i] = w[i] - (numerator * alpha) / (std::sqrt(v[i]) + T(kAdam.epsilon));
    }
  }
};

template <class T>
std::vector<T> numbers(int64_t n, unsigned seed, bool positive = false) {
  const Tensor t = random_tensor(dtype_of<T>(), {n}, seed);
  std::vector<T> x(t.values<T>().begin(), t.values<T>().end());
  if (positive)
    for (T& value : x) value = std::abs(value);
  return x;
}

template <class T>
void compare(Isa isa, int threads, int64_t n) {
  constexpr DType dtype = dtype_of<T>();
  Slow<T> slow{numbers<T>(n, 1), numbers<T>(n, 2), numbers<T>(n, 3), numbers<T>(n, 4, true), numbers<T>(n, 5)};
  Slow<T> fast = slow;
  const std::string where = std::string(isa_name(isa)) + " " + std::to_string(n);
  slow.gradient_descent();
  gradient_descent(dtype, fast.w.data(), fast.g.data(), kRate, n, threads, isa);
  EXPECT_EQ(fast.w, slow.w) << where;
  for (bool nesterov : {false, true}) {
    slow.momentum(nesterov);
    momentum_update(dtype, fast.w.data(), fast.a.data(), fast.g.data(), kRate, kMomentum, nesterov, n, threads, isa);
    EXPECT_EQ(fast.w, slow.w) << where;
    EXPECT_EQ(fast.a, slow.a) << where;
    Adam adam = kAdam;
    adam.nesterov = nesterov;
    slow.adam(nesterov);
    adam_update(dtype, fast.w.data(), fast.m.data(), fast.v.data(), fast.g.data(), adam, n, threads, isa);
    EXPECT_EQ(fast.w, slow.w) << where;
    EXPECT_EQ(fast.m, slow.m) << where;
    EXPECT_EQ(fast.v, slow.v) << where;
  }
}

TEST(Optimizers, RoundOnceAnOperationEverywhere) {
  for (Isa isa : supported_isas()) {
    for (int64_t n : kLengths) {
      for (int threads : {1, 2}) {
        compare<float>(isa, threads, n);
        compare<double>(isa, threads, n);
      }
    }
  }
}

TEST(Optimizers, RefuseIntegers) {
  int32_t w = 0;
  EXPECT_THROW(gradient_descent(DType::Int32, &w, &w, 1, 1, 1), Error);
}

}  // namespace
}  // namespace vf::cpu
