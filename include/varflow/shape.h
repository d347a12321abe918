#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "varflow/export.h"

namespace vf {

// A shape whose rank and sizes may be unknown (TensorFlow's TensorShape and PartialTensorShape in one).
// A value type of fixed size; at most kMaxRank dimensions.
class VF_API Shape {
 public:
  static constexpr int kMaxRank = 8;
  static constexpr int64_t kUnknown = -1;

  Shape() = default;  // scalar
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  // InvalidArgument for more than kMaxRank dimensions or a size below -1.
  explicit Shape(std::span<const int64_t> dims);
  static Shape unknown() {
    Shape s;
    s.rank_ = -1;
    return s;
  }
  // `rank` dimensions of unknown size.
  static Shape of_rank(int rank);

  bool has_rank() const { return rank_ >= 0; }
  int rank() const { return rank_; }  // -1: unknown
  int64_t operator[](int i) const { return dims_[static_cast<size_t>(i)]; }
  int64_t dim(int i) const {
    return dims_[static_cast<size_t>(i < 0 ? i + rank_ : i)];
  }  // negative counts from the end
  void set_dim(int i, int64_t size) { dims_[static_cast<size_t>(i < 0 ? i + rank_ : i)] = size; }
  void add_dim(int64_t size);
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_ < 0 ? 0 : rank_)}; }

  bool fully_defined() const;
  // Product of the sizes, -1 unless fully defined; InvalidArgument if it does not fit 63 bits.
  int64_t num_elements() const;
  // True if some concrete shape fits both.
  bool compatible(const Shape& other) const;
  // The shape that both describe; InvalidArgument where they contradict.
  Shape merged(const Shape& other) const;
  // "[2,?,3]", "[]", "<unknown>": as in TensorFlow's kernel messages.
  std::string str() const;
  // "(2, ?, 3)", "()", "(3,)": as in TensorFlow's Python messages.
  std::string python_str() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace vf
