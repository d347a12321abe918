#pragma once
// Fills of random numbers, equal bit by bit to those of TensorFlow's CPU kernels for the same Philox base.
//
// `base` is the state of the op's stream before the run; a fill leaves it alone. Outputs are row-major and need the
// alignment of their type only. Value i is a function of base and i: results depend neither on `threads` (an upper
// bound; small fills use one) nor on `isa` (which must be available). Double normals use libm's log, sin and cos;
// float, half and bfloat16 use a vector form of glibc's, so they are the same everywhere.
#include <cstdint>

#include "cpu/isa.h"
#include "cpu/philox.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// How many calls of its stream a fill of n elements (uniform, uniform_int, normal, truncated normal, gamma, poisson)
// takes away: more than it uses, as TensorFlow does. The next run starts from base.skipped(fill_calls(n)).
inline uint64_t fill_calls(int64_t n) { return uint64_t{256} * static_cast<uint64_t>(n); }

// Uniform in [0, 1), with the 10, 7, 23 or 52 bits of the mantissa.
void fill_uniform(const Philox& base, int64_t n, Half* out, int threads, Isa isa = active_isa());
void fill_uniform(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa = active_isa());
void fill_uniform(const Philox& base, int64_t n, float* out, int threads, Isa isa = active_isa());
void fill_uniform(const Philox& base, int64_t n, double* out, int threads, Isa isa = active_isa());

// Normal with mean 0 and deviation 1, by Box and Muller. half and bfloat16 are rounded floats.
void fill_normal(const Philox& base, int64_t n, Half* out, int threads, Isa isa = active_isa());
void fill_normal(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa = active_isa());
void fill_normal(const Philox& base, int64_t n, float* out, int threads, Isa isa = active_isa());
void fill_normal(const Philox& base, int64_t n, double* out, int threads, Isa isa = active_isa());

// The same, drawn again where |value| >= 2.
void fill_truncated_normal(const Philox& base, int64_t n, Half* out, int threads, Isa isa = active_isa());
void fill_truncated_normal(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa = active_isa());
void fill_truncated_normal(const Philox& base, int64_t n, float* out, int threads, Isa isa = active_isa());
void fill_truncated_normal(const Philox& base, int64_t n, double* out, int threads, Isa isa = active_isa());

// Integers in [low, high), by a remainder (so the lower ones are slightly more likely). n == 0 takes any bounds;
// else throws InvalidArgument "Need minval < maxval, got LOW >= HIGH".
void fill_uniform_int(const Philox& base, int64_t n, int32_t low, int32_t high, int32_t* out, int threads,
                      Isa isa = active_isa());
void fill_uniform_int(const Philox& base, int64_t n, int64_t low, int64_t high, int64_t* out, int threads,
                      Isa isa = active_isa());

// The order in which RandomShuffle takes the n rows of its input: row i of the output is row permutation[i].
void random_permutation(const Philox& base, int64_t n, int64_t* permutation);
// The calls that it takes away.
inline uint64_t permutation_calls(int64_t n) { return n <= 1 ? 0 : (static_cast<uint64_t>(n) + 2) / 4; }

}  // namespace vf::cpu
