#pragma once
// Dense optimizer updates, in place, in one pass, with the arithmetic of TensorFlow's training ops: every operation
// below rounds once, from left to right, in the dtype. n elements each; w, slots and g do not overlap. Float and
// double; Unimplemented for others. Scalars are given as doubles and rounded to the dtype first.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// w -= g * rate
void gradient_descent(DType dtype, void* w, const void* g, double rate, int64_t n, int threads, Isa isa = active_isa());

// a = a * momentum + g; w -= a * rate, or with nesterov w -= g * rate + a * momentum * rate
void momentum_update(DType dtype, void* w, void* a, const void* g, double rate, double momentum, bool nesterov,
                     int64_t n, int threads, Isa isa = active_isa());

struct Adam {
  double rate;
  double beta1;
  double beta2;
  double epsilon;
  double beta1_power;  // beta1 to the number of this step, which the caller keeps
  double beta2_power;
  bool nesterov = false;
};

// alpha = rate * sqrt(1 - beta2_power) / (1 - beta1_power)
// m += (g - m) * (1 - beta1); v += (g * g - v) * (1 - beta2); w -= m * alpha / (sqrt(v) + epsilon), where with nesterov
// g * (1 - beta1) + beta1 * m stands for m
void adam_update(DType dtype, void* w, void* m, void* v, const void* g, const Adam& adam, int64_t n, int threads,
                 Isa isa = active_isa());

}  // namespace vf::cpu
