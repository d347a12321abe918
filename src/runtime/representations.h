#pragma once
// The value of a variable in layouts other than C order, packed for a kernel. The variable's own value, in C order, is
// the authoritative one; these are caches of it, each of one version, which a write makes stale.
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "varflow/tensor.h"

namespace vf::runtime {

class Representations;

// One variable in one layout. Thread-safe.
class Representation {
 public:
  Representation(Representations& owner, std::shared_ptr<const MemoryLayout> layout);
  ~Representation();
  Representation(const Representation&) = delete;
  Representation& operator=(const Representation&) = delete;

  // Version `version` of the variable, whose value in C order is `logical`: nothing is copied where it is at hand. What
  // is returned stays as it is for as long as it is held.
  BufferRef acquire(uint64_t version, const BufferRef& logical);

 private:
  friend class Representations;
  BufferRef convert(const BufferRef& logical, BufferRef into) const;

  Representations& owner_;
  const std::shared_ptr<const MemoryLayout> layout_;
  std::atomic<uint64_t> used_{0};  // when, on the owner's clock
  std::mutex mutex_;
  BufferRef buffer_;
  uint64_t version_ = 0;
};

// All representations of a store: each exists while a plan asks for it; together they keep at most `limit` bytes. The
// least recently used ones go first. Thread-safe; must outlive the representations.
class Representations {
 public:
  explicit Representations(size_t limit) : limit_(limit) {}

  // That of the variable that `variable` tells apart, shared by all who hold it.
  std::shared_ptr<Representation> of(const void* variable, const std::shared_ptr<const MemoryLayout>& layout);

  size_t limit() const { return limit_; }
  size_t bytes() const;
  // Copies into another layout that were made so far.
  uint64_t conversions() const { return conversions_.load(std::memory_order_relaxed); }

 private:
  friend class Representation;
  void kept(Representation& r);
  void gone(Representation& r);

  const size_t limit_;
  std::atomic<uint64_t> clock_{0};
  mutable std::atomic<uint64_t> conversions_{0};
  mutable std::mutex mutex_;
  struct Known {
    const void* variable;
    std::weak_ptr<Representation> representation;
  };
  std::vector<Known> known_;
  std::vector<Representation*> keeping_;  // those that hold a buffer
  size_t bytes_ = 0;
};

}  // namespace vf::runtime
