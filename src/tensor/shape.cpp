#include "varflow/shape.h"

#include "varflow/error.h"

namespace vf {

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  if (dims.size() > kMaxRank)
    throw Error(Code::InvalidArgument, "a shape of rank " + std::to_string(dims.size()) + "; at most " +
                                           std::to_string(kMaxRank) + " dimensions are supported");
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < kUnknown)
      throw Error(Code::InvalidArgument, "Dimension " + std::to_string(dims[i]) + " must be >= 0");
    dims_[i] = dims[i];
  }
}

Shape Shape::of_rank(int rank) {
  if (rank < 0) return unknown();
  if (rank > kMaxRank)
    throw Error(Code::InvalidArgument, "a shape of rank " + std::to_string(rank) + "; at most " +
                                           std::to_string(kMaxRank) + " dimensions are supported");
  Shape s;
  s.rank_ = rank;
  s.dims_.fill(kUnknown);
  return s;
}

void Shape::add_dim(int64_t size) {
  if (rank_ < 0) return;
  if (rank_ == kMaxRank)
    throw Error(Code::InvalidArgument, "at most " + std::to_string(kMaxRank) + " dimensions are supported");
  if (size < kUnknown) throw Error(Code::InvalidArgument, "Dimension " + std::to_string(size) + " must be >= 0");
  dims_[static_cast<size_t>(rank_++)] = size;
}

bool Shape::fully_defined() const {
  if (rank_ < 0) return false;
  for (int64_t d : dims())
    if (d < 0) return false;
  return true;
}

int64_t Shape::num_elements() const {
  if (!fully_defined()) return -1;
  int64_t n = 1;
  bool overflow = false;
  for (int64_t d : dims()) {
    if (d == 0) return 0;
    overflow |= __builtin_mul_overflow(n, d, &n);
  }
  if (overflow) throw Error(Code::InvalidArgument, "the shape " + str() + " has more elements than fit 63 bits");
  return n;
}

bool Shape::compatible(const Shape& other) const {
  if (rank_ < 0 || other.rank_ < 0) return true;
  if (rank_ != other.rank_) return false;
  for (int i = 0; i < rank_; ++i)
    if ((*this)[i] >= 0 && other[i] >= 0 && (*this)[i] != other[i]) return false;
  return true;
}

Shape Shape::merged(const Shape& other) const {
  if (rank_ < 0) return other;
  if (other.rank_ < 0) return *this;
  if (rank_ != other.rank_)
    throw Error(Code::InvalidArgument,
                "Shapes must be equal rank, but are " + std::to_string(rank_) + " and " + std::to_string(other.rank_));
  Shape result = *this;
  for (int i = 0; i < rank_; ++i) {
    if ((*this)[i] >= 0 && other[i] >= 0 && (*this)[i] != other[i])
      throw Error(Code::InvalidArgument, "Dimension " + std::to_string(i) + " in both shapes must be equal, but are " +
                                             std::to_string((*this)[i]) + " and " + std::to_string(other[i]) +
                                             ". Shapes are " + str() + " and " + other.str() + ".");
    if (result[i] < 0) result.set_dim(i, other[i]);
  }
  return result;
}

std::string Shape::str() const {
  if (rank_ < 0) return "<unknown>";
  std::string s = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i) s += ',';
    s += (*this)[i] < 0 ? "?" : std::to_string((*this)[i]);
  }
  return s + "]";
}

std::string Shape::python_str() const {
  if (rank_ < 0) return "<unknown>";
  std::string s = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i) s += ", ";
    s += (*this)[i] < 0 ? "?" : std::to_string((*this)[i]);
  }
  return s + (rank_ == 1 ? ",)" : ")");
}

}  // namespace vf
