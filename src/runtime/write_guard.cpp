#include "runtime/write_guard.h"

#include "tensor/elements.h"
#include "tensor/visit.h"

namespace vf::runtime {
namespace {

// NaN stays NaN, as tf.clip_by_value has it.
void clip(Tensor& value, double low, double high) {
  visit_number(value.dtype(), [&]<class T>() {
    T* data = static_cast<T*>(value.raw());
    for (int64_t i = 0; i < value.num_elements(); ++i) {
      const double x = convert<double>(data[i]);
      if (x < low) data[i] = convert<T>(low);
      if (x > high) data[i] = convert<T>(high);
    }
  });
}

}  // namespace

void WriteGuard::set_mask(const Tensor& mask, const Tensor& value) {
  clear_mask();
  mask_ = mask.clone();
  const bool* may_change = mask_.data<bool>();
  const int64_t n = mask_.num_elements();
  for (int64_t i = 0; i < n; ++i) {
    if (may_change[i]) continue;
    if (runs_.empty() || runs_.back().second != i) runs_.emplace_back(i, i);
    ++runs_.back().second;
  }
  if (value.valid()) freeze(value);
}

void WriteGuard::clear_mask() {
  mask_ = Tensor();
  runs_.clear();
  frozen_ = Tensor();
}

void WriteGuard::freeze(const Tensor& value) {
  int64_t count = 0;
  for (const auto& [first, last] : runs_) count += last - first;
  frozen_ = Tensor(value.dtype(), Shape{count});
  const size_t size = dtype_size(value.dtype());
  auto* to = static_cast<char*>(frozen_.raw());
  for (const auto& [first, last] : runs_) {
    copy_elements(value.dtype(), static_cast<const char*>(value.raw()) + static_cast<size_t>(first) * size, to,
                  last - first);
    to += static_cast<size_t>(last - first) * size;
  }
}

void WriteGuard::check(const Shape& shape) const {
  if (mask_.valid() && !(mask_.shape() == shape))
    throw Error(Code::FailedPrecondition, "variable " + variable_ + " has a mask of shape " + mask_.shape().str() +
                                              ": a value of shape " + shape.str() + " cannot keep it");
}

void WriteGuard::constrain(Tensor& value) const {
  if (constraint_.project) {
    Tensor shown = value;
    constraint_.project(shown);
    if (shown.buffer().get() != value.buffer().get() || !(shown.shape() == value.shape()))
      throw Error(Code::InvalidArgument, "the constraint of variable " + variable_ + " must change the value in place");
  }
  if (constraint_.clips()) clip(value, constraint_.low, constraint_.high);
}

void WriteGuard::keep_frozen(Tensor& value) {
  if (runs_.empty()) return;
  if (!frozen_.valid()) return freeze(value);
  const size_t size = dtype_size(value.dtype());
  const auto* from = static_cast<const char*>(frozen_.raw());
  for (const auto& [first, last] : runs_) {
    copy_elements(value.dtype(), from, static_cast<char*>(value.raw()) + static_cast<size_t>(first) * size,
                  last - first);
    from += static_cast<size_t>(last - first) * size;
  }
}

}  // namespace vf::runtime
