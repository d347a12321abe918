#include "io/histogram.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "tensor/visit.h"

namespace vf::io {
namespace {

constexpr double kSmallest = 1.0e-12, kLargest = 1.0e20, kGrowth = 1.1;

// Limits of the positive buckets: each 1.1 times the one before, by repeated multiplication (the powers differ in the
// last bits), and DBL_MAX.
const std::vector<double>& positive_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> all;
    for (double limit = kSmallest; limit < kLargest; limit *= kGrowth) all.push_back(limit);
    all.push_back(DBL_MAX);
    return all;
  }();
  return limits;
}

// All limits: the positive ones mirrored, 0, the positive ones. Index of the first that is greater than a value.
class Buckets {
 public:
  Buckets()
      : positive_(positive_limits()),
        n_(static_cast<int>(positive_.size())),
        counts_(size_t{2} * positive_.size() + 1) {}

  void add(double value) { counts_[static_cast<size_t>(index(value))] += 1; }

  void encode(Histogram* to) const {
    const int all = 2 * n_ + 1;
    for (int i = 0; i < all; ++i) {
      // Of a run of empty buckets only the last is written.
      if (counts_[static_cast<size_t>(i)] == 0 && i + 1 < all && counts_[static_cast<size_t>(i) + 1] == 0) continue;
      to->bucket_limit.push_back(limit(i));
      to->bucket.push_back(counts_[static_cast<size_t>(i)]);
    }
  }

 private:
  double limit(int i) const {
    if (i == n_) return 0;
    return i < n_ ? -positive_[static_cast<size_t>(n_ - 1 - i)] : positive_[static_cast<size_t>(i - n_ - 1)];
  }

  int index(double value) const {
    if (value == 0) return n_ + 1;
    // The logarithm guesses (off by one here and there), comparisons decide.
    const double guess = std::log(std::abs(value) / kSmallest) * (1 / 0.09531017980432493);  // log(1.1)
    const auto power = static_cast<int>(std::clamp(guess, -1.0, static_cast<double>(n_ - 1))) + 1;
    int i = value > 0 ? n_ + 1 + power : n_ - power;
    i = std::clamp(i, 0, 2 * n_);
    while (i > 0 && limit(i - 1) > value) --i;
    while (i < 2 * n_ && limit(i) <= value) ++i;  // the last bucket takes DBL_MAX too
    return i;
  }

  const std::vector<double>& positive_;
  const int n_;
  std::vector<double> counts_;
};

// As TensorFlow's threads do: denormal numbers of the element type count as zeros.
template <class T>
double without_denormals(T element) {
  const auto value = convert<double>(element);
  if constexpr (std::is_floating_point_v<T>) {
    if (std::abs(element) < std::numeric_limits<T>::min()) return 0;
  }
  return value;
}

[[noreturn]] void throw_not_finite(double value, std::string_view tag) {
  const char* what = std::isnan(value) ? "Nan in summary histogram for: " : "Infinity in Histogram for: ";
  throw Error(Code::InvalidArgument, what + std::string(tag));
}

}  // namespace

Histogram make_histogram(const Tensor& values, std::string_view tag) {
  Histogram h;
  h.min = DBL_MAX;
  h.max = -DBL_MAX;
  Buckets buckets;
  visit_number(values.dtype(), [&]<class T>() {
    for (const T element : values.values<T>()) {
      const double value = without_denormals(element);
      if (!std::isfinite(value)) throw_not_finite(value, tag);
      buckets.add(value);
      h.min = std::min(h.min, value);
      h.max = std::max(h.max, value);
      h.num += 1;
      h.sum += value;
      h.sum_squares += without_denormals(value * value);
    }
  });
  buckets.encode(&h);
  return h;
}

}  // namespace vf::io
