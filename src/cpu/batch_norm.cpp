#include "cpu/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "cpu/batch_norm_kernels.h"

namespace vf::cpu {

VF_ISA_TABLES(BatchNormKernels, batch_norm_kernels)
VF_ISA_TABLES(BatchNormSums, batch_norm_sums)

namespace {

// Rows are summed in this many partitions at most, whatever the threads, so that results do not depend on them.
constexpr int64_t kPartitions = 16;
constexpr int64_t kLeastRows = 32;  // of a partition
// Fewer elements than this are not worth a second thread.
constexpr int64_t kGrain = 10000;

// What the caller's scratch holds.
struct Scratch {
  Scratch(void* memory, int64_t channels)
      : sums(static_cast<double*>(memory)),
        factor(reinterpret_cast<float*>(sums + kPartitions * 2 * channels)),
        slope(factor + channels),
        dy_mean(slope + channels) {}
  static size_t bytes(int64_t channels) {
    return static_cast<size_t>(channels) * (kPartitions * 2 * sizeof(double) + 3 * sizeof(float));
  }
  double* sums;  // [partition, 2, channels]
  float *factor, *slope, *dy_mean;
};

class Partitions {
 public:
  Partitions(const BatchNormShape& shape, int threads)
      : rows_(shape.rows),
        channels_(shape.channels),
        threads_(threads),
        count_(std::clamp<int64_t>(shape.rows / kLeastRows, 1, kPartitions)),
        grain_(std::max<int64_t>(1, kGrain * count_ / std::max<int64_t>(1, shape.rows * shape.channels))) {}

  // f(partition, first row, rows), in order on each thread.
  template <class F>
  void forward(F f) const {
    parallel_for(threads_, count_, grain_, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) f(p, first(p), first(p + 1) - first(p));
    });
  }
  // f(first row, rows), in reverse: what the pass before has read last is still in the cache.
  template <class F>
  void backward(F f) const {
    parallel_for(threads_, count_, grain_, [&](int64_t begin, int64_t end) {
      for (int64_t p = end - 1; p >= begin; --p) f(first(p), first(p + 1) - first(p));
    });
  }
  // Two sums a channel, each partition's made by f(first row, rows, first sums, second sums); left in the first
  // partition's place.
  template <class F>
  void sum(double* sums, F f) const {
    forward([&](int64_t p, int64_t row, int64_t rows) {
      double* own = sums + p * 2 * channels_;
      std::fill_n(own, 2 * channels_, 0.0);
      f(row, rows, own, own + channels_);
    });
    for (int64_t p = 1; p < count_; ++p)
      for (int64_t c = 0; c < 2 * channels_; ++c) sums[c] += sums[p * 2 * channels_ + c];
  }

 private:
  int64_t first(int64_t partition) const { return rows_ * partition / count_; }

  int64_t rows_, channels_;
  int threads_;
  int64_t count_, grain_;
};

double inverse_deviation(float variance, float epsilon) {
  return 1 / std::sqrt(static_cast<double>(variance) + static_cast<double>(epsilon));
}

}  // namespace

size_t batch_norm_scratch_bytes(const BatchNormShape& shape) { return Scratch::bytes(shape.channels); }

void batch_norm_infer(const BatchNormShape& shape, const float* x, const float* scale, const float* offset,
                      const float* mean, const float* variance, float* y, void* scratch,
                      const BatchNormOptions& options) {
  if (shape.channels == 0) return;
  const Scratch s(scratch, shape.channels);
  for (int64_t c = 0; c < shape.channels; ++c)
    s.factor[c] = static_cast<float>(scale[c] * inverse_deviation(variance[c], shape.epsilon));
  const auto normalize = batch_norm_kernels(options.isa).normalize[options.relu];
  Partitions(shape, options.threads).backward([&](int64_t row, int64_t rows) {
    const int64_t at = row * shape.channels;
    normalize({rows, shape.channels, x + at, mean, s.factor, offset, y + at});
  });
}

// One pass makes both sums, as double has room for it: the variance is the mean of squares, which are exact there, less
// the square of the mean. What cancels costs it at most about 1e-14 (mean / deviation)^2, less than a float's
// rounding while a mean is not above 1e3 deviations, and less than a mean rounded to float costs TensorFlow above that.
void batch_norm_train(const BatchNormShape& shape, const float* x, const float* scale, const float* offset, float* y,
                      float* mean, float* variance, void* scratch, const BatchNormOptions& options) {
  if (shape.channels == 0) return;
  const Scratch s(scratch, shape.channels);
  const auto statistics = batch_norm_sums(options.isa).statistics;
  Partitions(shape, options.threads).sum(s.sums, [&](int64_t row, int64_t rows, double* first, double* second) {
    statistics(rows, shape.channels, x + row * shape.channels, first, second);
  });
  const double n = static_cast<double>(std::max<int64_t>(shape.rows, 1));
  for (int64_t c = 0; c < shape.channels; ++c) {
    const double center = s.sums[c] / n, spread = s.sums[shape.channels + c] / n - center * center;
    mean[c] = static_cast<float>(center);
    variance[c] = static_cast<float>(spread < 0 ? 0.0 : spread);
  }
  batch_norm_infer(shape, x, scale, offset, mean, variance, y, scratch, options);
}

void batch_norm_gradient(const BatchNormShape& shape, bool training, const BatchNormGradient& g, void* scratch,
                         int threads, Isa isa) {
  const int64_t channels = shape.channels;
  if (channels == 0) return;
  const Scratch s(scratch, channels);
  const BatchNormKernels& kernels = batch_norm_kernels(isa);
  const bool relu = g.y != nullptr;
  const auto gradients = batch_norm_sums(isa).gradients[relu];
  const Partitions partitions(shape, threads);
  partitions.sum(s.sums, [&](int64_t row, int64_t rows, double* first, double* second) {
    const int64_t at = row * channels;
    gradients(rows, channels, g.dy + at, g.x + at, relu ? g.y + at : nullptr, first, second);
  });
  const double n = static_cast<double>(std::max<int64_t>(shape.rows, 1));
  for (int64_t c = 0; c < channels; ++c) {
    const double inverse = inverse_deviation(g.variance[c], shape.epsilon), sum = s.sums[c];
    const double product = s.sums[channels + c] - g.mean[c] * sum;
    s.factor[c] = static_cast<float>(g.scale[c] * inverse);
    s.slope[c] = static_cast<float>(inverse * inverse * product / n);
    s.dy_mean[c] = static_cast<float>(sum / n);
    g.d_scale[c] = static_cast<float>(product * inverse);
    g.d_offset[c] = static_cast<float>(sum);
  }
  const auto change = kernels.change[training][relu];
  partitions.backward([&](int64_t row, int64_t rows) {
    const int64_t at = row * channels;
    change({rows, channels, g.dy + at, g.x + at, relu ? g.y + at : nullptr, g.mean, s.factor, s.slope, s.dy_mean,
            g.dx + at});
  });
}

}  // namespace vf::cpu
