#pragma once
// Samples of distributions with parameters, equal to those of TensorFlow's CPU kernels for the same Philox base: scalar
// code in double. Parameters come as double, which holds every value of the dtypes that the ops take (of 64-bit
// integers TensorFlow keeps no more). `base` is left alone; results do not depend on `threads`.
#include <cstdint>

#include "cpu/philox.h"
#include "varflow/dtype.h"

namespace vf::cpu {

// out[row, sample], [batch, num_samples], is a class drawn with probability proportional to exp(logits[row, class]).
// logits are [batch, classes], classes > 0; those that are not finite are never drawn, and a row without a finite one
// gives `classes`. The rows continue one stream, as in TensorFlow on one thread (on more, its results depend on their
// number). Out is int32_t or int64_t.
template <class Out>
void fill_multinomial(const Philox& base, const double* logits, int64_t batch, int64_t classes, int64_t num_samples,
                      Out* out);

// The calls that a multinomial takes away: the next run starts from base.skipped(...) by so many.
inline uint64_t multinomial_calls(int64_t batch, int64_t num_samples) {
  return uint64_t{512} * static_cast<uint64_t>(batch) * ((static_cast<uint64_t>(num_samples) + 3) / 4 * 4);
}

// out[sample, parameter], [num_samples, num_alphas], of Gamma(alpha, 1), by Marsaglia and Tsang (2000). An alpha of 0
// gives 0, NaN gives NaN. The stream moves by fill_calls(num_samples * num_alphas) (random.h).
// T is Half, BFloat16, float or double.
template <class T>
void fill_gamma(const Philox& base, const double* alphas, int64_t num_alphas, int64_t num_samples, T* out, int threads);

// out[sample, parameter], [num_samples, num_rates], of Poisson(rate), by Knuth's method below a rate of 10, else by
// Hoermann's transformed rejection (PTRS, 1993). A negative rate gives 0, infinity gives infinity (0 for integers).
// Where TensorFlow would never come back, NaN gives NaN (0 for integers) and rates far above what T holds give its
// largest value. The stream moves by fill_calls(num_samples * num_rates).
// T is Half, BFloat16, float, double, int32_t or int64_t.
template <class T>
void fill_poisson(const Philox& base, const double* rates, int64_t num_rates, int64_t num_samples, T* out, int threads);

}  // namespace vf::cpu
