#include "io/histogram.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>

#include "tensor/visit.h"

namespace vf::io {
namespace {

constexpr double kSmallest = 1.0e-12, kLargest = 1.0e20, kGrowth = 1.1;

// Limits of the positive buckets: each 1.1 times the one before, by repeated multiplication (the powers differ in the
// last bits), and DBL_MAX. The others are these mirrored, and 0.
class Limits {
 public:
  Limits() {
    for (double limit = kSmallest; limit < kLargest; limit *= kGrowth) limits_.push_back(limit);
    limits_.push_back(DBL_MAX);
    for (uint64_t cell = first_cell(); cell <= std::bit_cast<uint64_t>(kLargest) >> kCellShift; ++cell) {
      const auto start = std::bit_cast<double>(cell << kCellShift);
      first_.push_back(static_cast<int>(std::lower_bound(limits_.begin(), limits_.end(), start) - limits_.begin()));
    }
  }
  int count() const { return static_cast<int>(limits_.size()); }
  double operator[](int i) const { return limits_[static_cast<size_t>(i)]; }

  // Index of the first limit that is not before `value`, which is not negative; count() where there is none.
  template <class IsBefore>
  int search(double value, IsBefore is_before) const {
    const uint64_t cell = std::bit_cast<uint64_t>(value) >> kCellShift;
    const uint64_t known = std::clamp(cell, first_cell(), first_cell() + first_.size() - 1) - first_cell();
    int i = cell < first_cell() ? 0 : first_[known];
    while (i < count() && is_before((*this)[i], value)) ++i;
    return i;
  }

 private:
  // The numbers that share exponent and first four bits of the fraction lie within a factor of 17/16: at most one
  // limit is among them, so that a table leaves a step or two to search.
  static constexpr int kCellShift = 48;
  static uint64_t first_cell() { return std::bit_cast<uint64_t>(kSmallest) >> kCellShift; }

  std::vector<double> limits_;
  std::vector<int> first_;  // for each cell, the first limit at or above its start
};

class Buckets {
 public:
  Buckets() : n_(positive_.count()), counts_(2 * static_cast<size_t>(n_) + 1) {}

  void add(double value) { ++counts_[static_cast<size_t>(index(value))]; }

  void encode(Histogram* to) const {
    for (size_t i = 0; i < counts_.size(); ++i) {
      // Of a run of empty buckets only the last is written.
      if (counts_[i] == 0 && i + 1 < counts_.size() && counts_[i + 1] == 0) continue;
      to->bucket_limit.push_back(limit(static_cast<int>(i)));
      to->bucket.push_back(static_cast<double>(counts_[i]));
    }
  }

 private:
  double limit(int i) const {
    if (i == n_) return 0;
    return i < n_ ? -positive_[n_ - 1 - i] : positive_[i - n_ - 1];
  }

  // Of the first limit that is greater than the value; the last bucket takes DBL_MAX too.
  int index(double value) const {
    if (value < 0) return n_ - positive_.search(-value, std::less<>());
    return std::min(n_ + 1 + positive_.search(std::abs(value), std::less_equal<>()), 2 * n_);
  }

  const Limits& positive_ = shared_limits();
  const int n_;
  std::vector<int64_t> counts_;

  static const Limits& shared_limits() {
    static const Limits limits;
    return limits;
  }
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
