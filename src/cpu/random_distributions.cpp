#include "cpu/random_distributions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/parallel.h"
#include "cpu/random.h"
#include "cpu/random_scalar.h"

namespace vf::cpu {
namespace {

constexpr int64_t kGrain = 500;  // samples below which a second thread does not pay

// The doubles of one sample's stretch of the stream. Uniform and normal ones are made two a call and handed out second
// first, from a buffer for each kind; both take their calls from the same stream.
class SampleStream {
 public:
  explicit SampleStream(const Philox& base) : philox_(base) {}

  double uniform() {
    if (uniforms_left_ == 0) {
      const Philox::Words words = philox_.next();
      uniforms_[0] = uniform_double(words.x);
      uniforms_[1] = uniform_double(words.x + 2);
      uniforms_left_ = 2;
    }
    return uniforms_[--uniforms_left_];
  }

  double normal() {
    if (normals_left_ == 0) {
      normal_pair(philox_.next().x, normals_);
      normals_left_ = 2;
    }
    return normals_[--normals_left_];
  }

 private:
  Philox philox_;
  double uniforms_[2] = {0, 0};
  double normals_[2] = {0, 0};
  int uniforms_left_ = 0;
  int normals_left_ = 0;
};

// Calls sample(parameter, stream) for each sample of each parameter and stores what it returns.
template <class T, class Sample>
void for_each_sample(const Philox& base, const double* parameters, int64_t num_parameters, int64_t num_samples, T* out,
                     int threads, Sample sample) {
  if (num_parameters <= 0 || num_samples <= 0) return;
  parallel_for(threads, num_parameters * num_samples, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t parameter = i / num_samples;
      SampleStream stream(base.skipped(fill_calls(i)));
      out[i % num_samples * num_parameters + parameter] = sample(parameters[parameter], stream);
    }
  });
}

double gamma(double alpha, SampleStream& stream) {
  if (alpha == 1.0) return -std::log1p(-stream.uniform());
  // Gamma(alpha) for alpha < 1 is Gamma(alpha + 1) * U^(1/alpha).
  const bool boost = alpha < 1.0;
  const double d = alpha + (boost ? 2.0 / 3 : -1.0 / 3);
  const double c = 1.0 / 3 / std::sqrt(d);
  while (true) {
    const double x = stream.normal();
    double v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    const double u = stream.uniform();
    if (u >= 1 - 0.0331 * (x * x) * (x * x) && std::log(u) >= 0.5 * x * x + d * (1 - v + std::log(v))) continue;
    const double result = d * v;
    return boost ? result * std::pow(stream.uniform(), 1 / alpha) : result;
  }
}

template <class T>
T to_output(double value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return T(static_cast<float>(value));
  else
    return static_cast<T>(value);
}

template <class T>
constexpr double largest() {
  if constexpr (std::is_same_v<T, Half>) return 65504;
  if constexpr (std::is_same_v<T, BFloat16>) return 0x1.fep127;
  if constexpr (std::is_same_v<T, int64_t>) return 0x1.fffffffffffffp62;  // the largest double below 2^63
  if constexpr (!std::is_class_v<T>) return static_cast<double>(std::numeric_limits<T>::max());
}

double small_poisson(double rate, SampleStream& stream) {
  const double limit = std::exp(-rate);
  double product = 1;
  for (double x = 0;; x += 1) {
    product *= stream.uniform();
    if (product <= limit) return x;
  }
}

double large_poisson(double rate, double largest_value, SampleStream& stream) {
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double q = 1.1239 + 1.1328 / (b - 3.4);
  const double sure = 0.9277 - 3.6224 / (b - 2);
  // Draws beyond the largest value are repeated, up to the end of the sample's stretch of 256 calls.
  for (int overflows = 0; overflows < 256;) {
    const double u = stream.uniform() - 0.5;
    const double v = stream.uniform();
    const double s = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / s + b) * u + rate + 0.43);
    if (k > largest_value) {
      ++overflows;
      continue;
    }
    if (s >= 0.07 && v <= sure) return k;
    if (k < 0 || (s < 0.013 && v > s)) continue;
    int sign;  // lgamma would write a global variable instead
    if (std::log(v * q / (a / (s * s) + b)) <= -rate + k * log_rate - lgamma_r(k + 1, &sign)) return k;
  }
  return largest_value;
}

template <class T>
T poisson(double rate, SampleStream& stream) {
  if (rate < 10) return to_output<T>(small_poisson(rate, stream));
  if (!std::isfinite(rate)) return std::is_integral_v<T> ? T(0) : to_output<T>(rate);
  return to_output<T>(large_poisson(rate, largest<T>(), stream));
}

}  // namespace

template <class Out>
void fill_multinomial(const Philox& base, const double* logits, int64_t batch, int64_t classes, int64_t num_samples,
                      Out* out) {
  std::vector<double> cumulated(static_cast<size_t>(classes));
  PhiloxWords words(base);
  for (int64_t row = 0; row < batch; ++row, logits += classes, out += num_samples) {
    double largest_logit = std::numeric_limits<double>::lowest();
    for (int64_t j = 0; j < classes; ++j)
      if (std::isfinite(logits[j])) largest_logit = std::max(largest_logit, logits[j]);
    double total = 0;
    for (int64_t j = 0; j < classes; ++j) {
      if (std::isfinite(logits[j])) total += std::exp(logits[j] - largest_logit);
      cumulated[static_cast<size_t>(j)] = total;
    }
    for (int64_t i = 0; i < num_samples; ++i) {
      const uint32_t pair[2] = {words.next(), words.next()};
      const double at = uniform_double(pair) * total;
      out[i] = static_cast<Out>(std::upper_bound(cumulated.begin(), cumulated.end(), at) - cumulated.begin());
    }
  }
}

template <class T>
void fill_gamma(const Philox& base, const double* alphas, int64_t num_alphas, int64_t num_samples, T* out,
                int threads) {
  for_each_sample(base, alphas, num_alphas, num_samples, out, threads,
                  [](double alpha, SampleStream& stream) { return to_output<T>(gamma(alpha, stream)); });
}

template <class T>
void fill_poisson(const Philox& base, const double* rates, int64_t num_rates, int64_t num_samples, T* out,
                  int threads) {
  for_each_sample(base, rates, num_rates, num_samples, out, threads,
                  [](double rate, SampleStream& stream) { return poisson<T>(rate, stream); });
}

template void fill_multinomial(const Philox&, const double*, int64_t, int64_t, int64_t, int32_t*);
template void fill_multinomial(const Philox&, const double*, int64_t, int64_t, int64_t, int64_t*);
template void fill_gamma(const Philox&, const double*, int64_t, int64_t, Half*, int);
template void fill_gamma(const Philox&, const double*, int64_t, int64_t, BFloat16*, int);
template void fill_gamma(const Philox&, const double*, int64_t, int64_t, float*, int);
template void fill_gamma(const Philox&, const double*, int64_t, int64_t, double*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, Half*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, BFloat16*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, float*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, double*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, int32_t*, int);
template void fill_poisson(const Philox&, const double*, int64_t, int64_t, int64_t*, int);

}  // namespace vf::cpu
