#include "runtime/variable_store.h"

#include <algorithm>
#include <cstring>

namespace vf::runtime {

Shape VariableEntry::shape() const {
  std::lock_guard lock(mutex_);
  return value_.valid() ? value_.shape() : declared_;
}

bool VariableEntry::initialized() const {
  std::lock_guard lock(mutex_);
  return value_.valid();
}

Tensor VariableEntry::pin() const {
  std::lock_guard lock(mutex_);
  return value_;
}

BufferRef VariableEntry::pin(const Shape& expected, uint64_t* version) const {
  std::lock_guard lock(mutex_);
  if (!value_.valid()) return {};
  if (!(value_.shape() == expected))
    throw Error(Code::Aborted, "variable " + name_ + " changed its shape from " + expected.str() + " to " +
                                   value_.shape().str() + " while the run was under way");
  *version = version_.load(std::memory_order_relaxed);
  return value_.buffer();
}

void VariableEntry::put(Tensor value) {
  if (!value_.valid() || !(value_.shape() == value.shape())) shape_version_.fetch_add(1, std::memory_order_release);
  value_ = std::move(value);
}

void VariableEntry::reserve(size_t bytes) {
  budget_->take(this->bytes(), bytes, [&] { return "the variable " + name_; });
}

void VariableEntry::replace(const Shape& shape) {
  const size_t before = bytes();
  const size_t after = static_cast<size_t>(shape.num_elements()) * dtype_size(dtype_);
  reserve(after);
  try {
    put(Tensor(dtype_, shape));  // made before the old value goes: where memory is short, the variable keeps it
  } catch (...) {
    budget_->change(after, before);
    throw;
  }
}

void replace_all(std::vector<std::pair<VariableEntry*, Tensor>> values) {
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::unique_lock<std::mutex>> locks;
  locks.reserve(values.size());
  for (auto& [entry, value] : values) {
    if (!locks.empty() && locks.back().mutex() == &entry->mutex_)
      throw Error(Code::InvalidArgument, "variable " + entry->name_ + " is set twice");
    locks.emplace_back(entry->mutex_);
  }
  for (auto& [entry, value] : values) {
    if (!entry->guard_) continue;
    entry->guard_->check(value.shape());
    entry->guard_->constrain(value);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    try {
      values[i].first->reserve(values[i].second.bytes());
    } catch (...) {
      while (i-- > 0) values[i].first->budget_->change(values[i].second.bytes(), values[i].first->bytes());
      throw;
    }
  }
  for (auto& [entry, value] : values) {
    if (entry->guard_) entry->guard_->keep_frozen(value);
    entry->put(std::move(value));
    entry->version_.fetch_add(1, std::memory_order_release);
  }
}

std::vector<Tensor> pin_all(const std::vector<VariableEntry*>& entries) {
  std::vector<VariableEntry*> each = entries;
  std::sort(each.begin(), each.end());
  each.erase(std::unique(each.begin(), each.end()), each.end());
  std::vector<std::unique_lock<std::mutex>> locks;
  locks.reserve(each.size());
  for (VariableEntry* entry : each) locks.emplace_back(entry->mutex_);
  std::vector<Tensor> values;
  values.reserve(entries.size());
  for (VariableEntry* entry : entries) values.push_back(entry->value_);
  return values;
}

WriteHandle::WriteHandle(VariableEntry& entry, Access access, const Shape& shape)
    : entry_(&entry), lock_(entry.mutex_) {
  Tensor& value = entry.value_;
  if (entry.guard_) {
    entry.guard_->check(shape);
    if (entry.guard_->may_fail()) before_ = std::make_unique<Tensor>(value);  // held, so that the write goes elsewhere
  }
  if (access == Access::Update) {
    if (!value.valid()) {
      lock_.unlock();
      entry_ = nullptr;
      throw Error(Code::FailedPrecondition, "Attempting to use uninitialized value " + entry.name_);
    }
    if (!(value.shape() == shape)) {
      lock_.unlock();
      entry_ = nullptr;
      throw Error(Code::Aborted, "variable " + entry.name_ + " changed its shape while the run was under way");
    }
    if (!value.buffer()->unique()) value = value.clone();  // the new version is this run's own
  } else if (!value.valid() || !(value.shape() == shape) || !value.buffer()->unique()) {
    fresh_ = !value.valid();
    entry.replace(shape);
  }
  data_ = value.raw();
}

WriteHandle::WriteHandle(WriteHandle&& other) noexcept
    : entry_(std::exchange(other.entry_, nullptr)),
      data_(other.data_),
      before_(std::move(other.before_)),
      fresh_(other.fresh_),
      lock_(std::move(other.lock_)) {}

// Without commit() the step failed. A variable that had no value has none again; else what was written stays where
// nothing else is at hand.
WriteHandle::~WriteHandle() {
  if (!entry_) return;
  if (before_) {
    entry_->budget_->change(entry_->bytes(), before_->valid() ? before_->bytes() : 0);
    entry_->put(std::move(*before_));
  } else if (fresh_) {
    entry_->budget_->change(entry_->bytes(), 0);
    entry_->put(Tensor());
  } else {
    try {
      commit();
    } catch (...) {  // memory is short
    }
  }
}

void WriteHandle::commit() {
  if (!entry_) return;
  VariableEntry& entry = *std::exchange(entry_, nullptr);
  const std::unique_lock lock = std::move(lock_);
  if (entry.guard_) {
    try {
      entry.guard_->constrain(entry.value_);
      entry.guard_->keep_frozen(entry.value_);
    } catch (...) {
      if (before_) {
        entry.budget_->change(entry.bytes(), before_->valid() ? before_->bytes() : 0);
        entry.put(std::move(*before_));
      }
      entry.version_.fetch_add(1, std::memory_order_release);
      throw;
    }
    before_.reset();
  }
  entry.version_.fetch_add(1, std::memory_order_release);
}

void VariableEntry::set_mask(const Tensor& mask) {
  std::lock_guard lock(mutex_);
  const Shape& shape = value_.valid() ? value_.shape() : declared_;
  if (mask.dtype() != DType::Bool || !(mask.shape() == shape))
    throw Error(Code::InvalidArgument, "the mask of variable " + name_ + " must be bool " + shape.str() + ", not " +
                                           dtype_python_name(mask.dtype()) + " " + mask.shape().str());
  guard().set_mask(mask, value_);
  drop_empty_guard();
}

void VariableEntry::clear_mask() {
  std::lock_guard lock(mutex_);
  if (!guard_) return;
  guard_->clear_mask();
  drop_empty_guard();
}

Tensor VariableEntry::mask() const {
  std::lock_guard lock(mutex_);
  return guard_ ? guard_->mask() : Tensor();
}

void VariableEntry::set_constraint(Constraint constraint) {
  if (!(constraint.low <= constraint.high))
    throw Error(Code::InvalidArgument, "the constraint of variable " + name_ + " clips to an empty range");
  if (constraint.clips() && !is_floating(dtype_))
    throw Error(Code::InvalidArgument,
                "the constraint of variable " + name_ + " clips, but its dtype is " + dtype_python_name(dtype_));
  std::lock_guard lock(mutex_);
  WriteGuard trial = guard_ ? *guard_ : WriteGuard(name_);
  trial.set_constraint(std::move(constraint));
  if (value_.valid()) {
    Tensor value = value_.clone();
    trial.constrain(value);
    trial.keep_frozen(value);
    put(std::move(value));
    version_.fetch_add(1, std::memory_order_release);
  }
  guard_ = std::make_unique<WriteGuard>(std::move(trial));
  drop_empty_guard();
}

void VariableEntry::clear_constraint() {
  std::lock_guard lock(mutex_);
  if (!guard_) return;
  guard_->set_constraint({});
  drop_empty_guard();
}

WriteGuard& VariableEntry::guard() {
  if (!guard_) guard_ = std::make_unique<WriteGuard>(name_);
  return *guard_;
}

void VariableEntry::drop_empty_guard() {
  if (guard_ && guard_->empty()) guard_.reset();
}

VariableEntry& VariableStore::entry(const std::string& container, const std::string& name, DType dtype,
                                    const Shape& declared) {
  std::lock_guard lock(mutex_);
  auto& e = entries_[container + '\0' + name];
  if (!e) e = std::make_unique<VariableEntry>(name, dtype, declared, budget_);
  if (e->dtype() != dtype)
    throw Error(Code::InvalidArgument, "variable " + name + " is shared under two dtypes: " +
                                           dtype_python_name(e->dtype()) + " and " + dtype_python_name(dtype));
  return *e;
}

}  // namespace vf::runtime
