#include "cpu/optimizer_kernels.h"

namespace vf::cpu::VF_ISA {
namespace {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

template <class T>
void descend(T* w, const T* g, T rate, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) w[i] -= g[i] * rate;
}

template <class T, bool nesterov>
void momentum_loop(T* w, T* a, const T* g, T rate, T momentum, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T accumulated = a[i] * momentum + g[i];
    a[i] = accumulated;
    w[i] -= nesterov ? g[i] * rate + accumulated * momentum * rate : accumulated * rate;
  }
}

template <class T, bool nesterov>
void adam_loop(T* w, T* m, T* v, const T* g, const Adam& adam, int64_t n) {
  const T beta1 = static_cast<T>(adam.beta1);
  const T rest1 = T(1) - beta1;
  const T rest2 = T(1) - static_cast<T>(adam.beta2);
  const T epsilon = static_cast<T>(adam.epsilon);
  const T alpha = static_cast<T>(adam.rate) * root(T(1) - static_cast<T>(adam.beta2_power)) /
                  (T(1) - static_cast<T>(adam.beta1_power));
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T first = m[i] + (g[i] - m[i]) * rest1;
    const T second = v[i] + (g[i] * g[i] - v[i]) * rest2;
    m[i] = first;
    v[i] = second;
    const T direction = nesterov ? g[i] * rest1 + beta1 * first : first;
    w[i] -= direction * alpha / (root(second) + epsilon);
  }
}

template <class T>
T* as(void* p) {
  return static_cast<T*>(p);
}
template <class T>
const T* as(const void* p) {
  return static_cast<const T*>(p);
}

void gradient_descent(DType dtype, void* w, const void* g, double rate, int64_t n) {
  if (dtype == DType::Float)
    descend(as<float>(w), as<float>(g), static_cast<float>(rate), n);
  else
    descend(as<double>(w), as<double>(g), rate, n);
}

template <class T>
void momentum_of(void* w, void* a, const void* g, T rate, T momentum, bool nesterov, int64_t n) {
  const auto loop = nesterov ? momentum_loop<T, true> : momentum_loop<T, false>;
  loop(as<T>(w), as<T>(a), as<T>(g), rate, momentum, n);
}

void momentum(DType dtype, void* w, void* a, const void* g, double rate, double factor, bool nesterov, int64_t n) {
  if (dtype == DType::Float)
    momentum_of(w, a, g, static_cast<float>(rate), static_cast<float>(factor), nesterov, n);
  else
    momentum_of(w, a, g, rate, factor, nesterov, n);
}

template <class T>
void adam_of(void* w, void* m, void* v, const void* g, const Adam& adam, int64_t n) {
  const auto loop = adam.nesterov ? adam_loop<T, true> : adam_loop<T, false>;
  loop(as<T>(w), as<T>(m), as<T>(v), as<T>(g), adam, n);
}

void adam(DType dtype, void* w, void* m, void* v, const void* g, const Adam& rates, int64_t n) {
  if (dtype == DType::Float)
    adam_of<float>(w, m, v, g, rates, n);
  else
    adam_of<double>(w, m, v, g, rates, n);
}

}  // namespace

extern const OptimizerKernels optimizer_kernels_table = {gradient_descent, momentum, adam};

}  // namespace vf::cpu::VF_ISA
