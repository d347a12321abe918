#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/memory_budget.h"
#include "runtime/write_guard.h"
#include "varflow/op.h"
#include "varflow/tensor.h"

namespace vf::runtime {

// A variable of a session: one authoritative value in versions. Each access is atomic with respect to all others.
class VariableEntry {
 public:
  VariableEntry(std::string name, DType dtype, Shape declared, MemoryBudget* budget)
      : name_(std::move(name)), dtype_(dtype), declared_(declared), budget_(budget) {}

  const std::string& name() const { return name_; }
  DType dtype() const { return dtype_; }
  // The stored value's shape, else the declared one.
  Shape shape() const;
  bool initialized() const;
  // Counts writes; equal numbers mean an unchanged value.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Counts changes of shape, initialization among them.
  uint64_t shape_version() const { return shape_version_.load(std::memory_order_acquire); }

  // The present version, pinned; an invalid tensor where it is uninitialized.
  Tensor pin() const;
  // As pin(), but only the buffer and its version, for steps. Null where it is uninitialized; Aborted where the shape
  // is not `expected`.
  BufferRef pin(const Shape& expected, uint64_t* version) const;

  // What every write keeps from now on (Session::set_mask, set_constraint). InvalidArgument where it does not fit.
  void set_mask(const Tensor& mask);
  void clear_mask();
  Tensor mask() const;
  void set_constraint(Constraint constraint);
  void clear_constraint();

 private:
  friend class WriteHandle;
  friend void replace_all(std::vector<std::pair<VariableEntry*, Tensor>> values);
  friend std::vector<Tensor> pin_all(const std::vector<VariableEntry*>& entries);
  // With the lock held:
  void put(Tensor value);
  // Room in the session's memory for a value of so many bytes in place of the present one, which put() then takes.
  // ResourceExhausted, with nothing changed, where there is none.
  void reserve(size_t bytes);
  size_t bytes() const { return value_.valid() ? value_.bytes() : 0; }
  // Uninitialized memory in place of the value.
  void replace(const Shape& shape);
  WriteGuard& guard();
  void drop_empty_guard();

  const std::string name_;
  const DType dtype_;
  const Shape declared_;
  MemoryBudget* const budget_;
  mutable std::mutex mutex_;
  Tensor value_;
  std::unique_ptr<WriteGuard> guard_;  // null where every write is taken as it is
  std::atomic<uint64_t> version_{0};
  std::atomic<uint64_t> shape_version_{0};
};

// The one way for a step to write a variable: assigns, optimizers, scatters. Holds the variable until
// commit() or destruction; a version that somebody pinned is left alone (copy on write), else the write is in place.
// Keeps the variable's mask and constraint.
class WriteHandle {
 public:
  WriteHandle() = default;
  // Overwrite gives uninitialized memory of `shape`; Update the old value, which must have it: FailedPrecondition where
  // there is none.
  WriteHandle(VariableEntry& entry, Access access, const Shape& shape);
  WriteHandle(WriteHandle&& other) noexcept;
  WriteHandle& operator=(WriteHandle&&) = delete;
  ~WriteHandle();

  void* data() const { return data_; }
  // Publishes the new version and lets the variable go. Throws where the variable's constraint does: the old value is
  // back then.
  void commit();

 private:
  VariableEntry* entry_ = nullptr;
  void* data_ = nullptr;
  std::unique_ptr<Tensor> before_;  // where the constraint may fail
  bool fresh_ = false;              // the variable had no value
  std::unique_lock<std::mutex> lock_;
};

// Puts all values in at one instant, or, where a constraint fails, none. Dtypes must be the entries' own, and the
// values nobody else's.
void replace_all(std::vector<std::pair<VariableEntry*, Tensor>> values);

// The present versions of all, pinned at one instant; invalid tensors where there is none.
std::vector<Tensor> pin_all(const std::vector<VariableEntry*>& entries);

// The variables of a session, by container and name. Thread-safe; entries live as long as the store.
class VariableStore {
 public:
  explicit VariableStore(MemoryBudget* budget) : budget_(budget) {}
  // InvalidArgument where the name is taken with another dtype.
  VariableEntry& entry(const std::string& container, const std::string& name, DType dtype, const Shape& declared);

 private:
  MemoryBudget* const budget_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<VariableEntry>> entries_;
};

}  // namespace vf::runtime
