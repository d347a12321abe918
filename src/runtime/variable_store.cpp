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

BufferRef VariableEntry::pin(const Shape& expected) const {
  std::lock_guard lock(mutex_);
  if (!value_.valid()) return {};
  if (!(value_.shape() == expected))
    throw Error(Code::Aborted, "variable " + name_ + " changed its shape from " + expected.str() + " to " +
                                   value_.shape().str() + " while the run was under way");
  return value_.buffer();
}

void VariableEntry::put(Tensor value) {
  if (!value_.valid() || !(value_.shape() == value.shape())) shape_version_.fetch_add(1, std::memory_order_release);
  value_ = std::move(value);
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
    entry->put(std::move(value));
    entry->version_.fetch_add(1, std::memory_order_release);
  }
}

WriteHandle::WriteHandle(VariableEntry& entry, Access access, const Shape& shape)
    : entry_(&entry), lock_(entry.mutex_) {
  Tensor& value = entry.value_;
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
    // Made before the old value goes: where memory is short, the variable keeps it.
    entry.put(Tensor(entry.dtype_, shape));
  }
  data_ = value.raw();
}

WriteHandle& WriteHandle::operator=(WriteHandle&& other) noexcept {
  commit();
  entry_ = std::exchange(other.entry_, nullptr);
  data_ = other.data_;
  lock_ = std::move(other.lock_);
  return *this;
}

void WriteHandle::commit() {
  if (!entry_) return;
  entry_->version_.fetch_add(1, std::memory_order_release);
  entry_ = nullptr;
  lock_.unlock();
}

VariableEntry& VariableStore::entry(const std::string& container, const std::string& name, DType dtype,
                                    const Shape& declared) {
  std::lock_guard lock(mutex_);
  auto& e = entries_[container + '\0' + name];
  if (!e) e = std::make_unique<VariableEntry>(name, dtype, declared);
  if (e->dtype() != dtype)
    throw Error(Code::InvalidArgument, "variable " + name + " is shared under two dtypes: " +
                                           dtype_python_name(e->dtype()) + " and " + dtype_python_name(dtype));
  return *e;
}

}  // namespace vf::runtime
