#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "varflow/error.h"

namespace vf::runtime {

// The bytes that a session's arenas and the present values of its variables may take together. Thread-safe; it outlives
// what it counts.
class MemoryBudget {
 public:
  explicit MemoryBudget(size_t limit) : limit_(limit) {}  // 0: as many as there are
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Called, from any thread and perhaps with a variable locked, where memory is short: gives back what can be spared.
  void set_reclaim(std::function<void()> reclaim) { reclaim_ = std::move(reclaim); }
  // Takes `bytes` in place of `before`; ResourceExhausted, with nothing taken, where that is beyond the limit.
  // `what()` says what they are for.
  template <class What>
  void take(size_t before, size_t bytes, What what) {
    if (limit_ == 0 || try_change(before, bytes)) return;
    if (reclaim_) reclaim_();
    if (try_change(before, bytes)) return;
    throw Error(Code::ResourceExhausted, what() + " needs " + std::to_string(bytes) + " bytes; of the limit of " +
                                             std::to_string(limit_) + " bytes of memory, " + std::to_string(used()) +
                                             " are taken" +
                                             (before ? ", " + std::to_string(before) + " by itself" : ""));
  }
  // The same without a limit: what was there before comes back, or goes.
  void change(size_t before, size_t bytes) {
    if (limit_ != 0) used_.fetch_add(bytes - before, std::memory_order_relaxed);
  }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  bool try_change(size_t before, size_t bytes) {
    size_t used = used_.load(std::memory_order_relaxed);
    do {
      const size_t others = used - before;
      if (bytes > before && (bytes > limit_ || others > limit_ - bytes)) return false;
    } while (!used_.compare_exchange_weak(used, used - before + bytes, std::memory_order_relaxed));
    return true;
  }

  const size_t limit_;
  std::atomic<size_t> used_{0};
  std::function<void()> reclaim_;
};

// Bytes of a budget, given back at the end.
class Reservation {
 public:
  Reservation() = default;
  template <class What>
  Reservation(MemoryBudget* budget, size_t bytes, What what) {
    if (!budget) return;
    budget->take(0, bytes, what);
    budget_ = budget;
    bytes_ = bytes;
  }
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() {
    if (budget_) budget_->change(bytes_, 0);
  }

 private:
  MemoryBudget* budget_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace vf::runtime
