#pragma once
#include <string>
#include <utility>
#include <vector>

#include "varflow/session.h"
#include "varflow/tensor.h"

namespace vf::runtime {

// What every write to one variable keeps: frozen elements and a constraint. Not thread-safe: the variable's lock guards
// it. Elements are counted in logical order.
class WriteGuard {
 public:
  explicit WriteGuard(std::string variable) : variable_(std::move(variable)) {}

  // Freezes what is false. `value` is the present value; where it is invalid, the first one that is written is kept.
  void set_mask(const Tensor& mask, const Tensor& value);
  void clear_mask();
  const Tensor& mask() const { return mask_; }
  void set_constraint(Constraint constraint) { constraint_ = std::move(constraint); }
  bool empty() const { return !mask_.valid() && !constraint_.project && !constraint_.clips(); }

  // FailedPrecondition where a value of this shape cannot keep the mask.
  void check(const Shape& shape) const;
  // True where constrain() may throw, so that the old value must be at hand.
  bool may_fail() const { return static_cast<bool>(constraint_.project); }
  // Applies the constraint to a value that was just written, in place. Throws what the constraint's function throws;
  // the value is then of no use.
  void constrain(Tensor& value) const;
  // Afterwards: gives frozen elements their bits back.
  void keep_frozen(Tensor& value);

 private:
  void freeze(const Tensor& value);

  const std::string variable_;
  Constraint constraint_;
  Tensor mask_;
  std::vector<std::pair<int64_t, int64_t>> runs_;  // of frozen elements: [first, last)
  Tensor frozen_;                                  // their values, one run after the other; invalid until there are any
};

}  // namespace vf::runtime
