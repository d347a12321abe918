#pragma once
// The vector parts of random fills, one table an instruction set (isa.h); all tables give the same bits.
// Words are the output of Philox calls, four a call, in the order of the stream. Outputs may have any alignment that is
// natural to their type, and do not overlap inputs.
#include <cstdint>

#include "cpu/isa.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// Counters of some calls of one key, and their words.
struct PhiloxBlock {
  static constexpr int kCalls = 128;
  static constexpr int kRounding = 16;  // calls are made in groups of so many

  alignas(64) uint64_t counter_low[kCalls];
  alignas(64) uint64_t counter_high[kCalls];
  alignas(64) uint32_t words[4 * kCalls];
};

struct RandomKernels {
  // Sets counters i = 0 .. calls-1 to (low, high) + i * stride, and on to the next multiple of kRounding.
  void (*count)(uint64_t low, uint64_t high, uint64_t stride, int calls, PhiloxBlock* block);
  // Makes the words of the first `calls` counters; all counters up to the next multiple of kRounding must be set.
  void (*generate)(uint32_t key0, uint32_t key1, int calls, PhiloxBlock* block);

  // n values in [0, 1): one word a value, two for double.
  void (*uniform_half)(const uint32_t* words, int64_t n, Half* out);
  void (*uniform_bfloat16)(const uint32_t* words, int64_t n, BFloat16* out);
  void (*uniform_float)(const uint32_t* words, int64_t n, float* out);
  void (*uniform_double)(const uint32_t* words, int64_t n, double* out);

  // 2 * pairs normal values, by Box and Muller: words (2i, 2i+1) give values (2i, 2i+1).
  void (*normal_float)(const uint32_t* words, int64_t pairs, float* out);

  // Round to nearest, ties to even.
  void (*round_half)(const float* in, Half* out, int64_t n);
  void (*round_bfloat16)(const float* in, BFloat16* out, int64_t n);

  // What normal_float is made of, for tests: see glibc_math.h.
  void (*log)(const float* x, int64_t n, float* out);
  void (*sin_cos)(const float* x, int64_t n, float* sine, float* cosine);
};

const RandomKernels& random_kernels(Isa isa);

}  // namespace vf::cpu
