#include "runtime/representations.h"

#include <algorithm>

namespace vf::runtime {

Representation::Representation(Representations& owner, std::shared_ptr<const MemoryLayout> layout)
    : owner_(owner), layout_(std::move(layout)) {}

Representation::~Representation() { owner_.gone(*this); }

BufferRef Representation::convert(const BufferRef& logical, BufferRef into) const {
  layout_->from_logical(logical->data(), into->data());
  owner_.conversions_.fetch_add(1, std::memory_order_relaxed);
  return into;
}

BufferRef Representation::acquire(uint64_t version, const BufferRef& logical) {
  std::lock_guard lock(mutex_);
  used_.store(owner_.clock_.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (buffer_ && version_ == version) return buffer_;
  const size_t bytes = layout_->bytes();
  // A version older than the one at hand is that of a run which began before a write: it is not kept.
  if ((buffer_ && version_ > version) || bytes > owner_.limit())
    return convert(logical, BufferRef(Buffer::allocate(bytes)));
  const bool counted = static_cast<bool>(buffer_);
  BufferRef into = counted && buffer_->unique() ? buffer_ : BufferRef(Buffer::allocate(bytes));
  version_ = 0;  // versions of values count from 1
  buffer_ = convert(logical, std::move(into));
  version_ = version;
  if (!counted) owner_.kept(*this);
  return buffer_;
}

std::shared_ptr<Representation> Representations::of(const void* variable,
                                                    const std::shared_ptr<const MemoryLayout>& layout) {
  std::vector<std::shared_ptr<Representation>> looked_at;  // should one be the last reference, it goes after the lock
  std::lock_guard lock(mutex_);
  std::erase_if(known_, [](const Known& k) { return k.representation.expired(); });
  for (const Known& k : known_) {
    if (k.variable != variable) continue;
    looked_at.push_back(k.representation.lock());
    if (looked_at.back() && looked_at.back()->layout_->key() == layout->key()) return looked_at.back();
  }
  auto made = std::make_shared<Representation>(*this, layout);
  known_.push_back({variable, made});
  return made;
}

size_t Representations::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

// Called with the lock of `r`: the lock of another one is only tried, so that two never wait for each other.
void Representations::kept(Representation& r) {
  std::lock_guard lock(mutex_);
  keeping_.push_back(&r);
  bytes_ += r.layout_->bytes();
  while (bytes_ > limit_) {
    std::sort(keeping_.begin(), keeping_.end(), [](const Representation* a, const Representation* b) {
      return a->used_.load(std::memory_order_relaxed) < b->used_.load(std::memory_order_relaxed);
    });
    const auto victim = std::find_if(keeping_.begin(), keeping_.end(), [&](Representation* other) {
      if (other == &r || !other->mutex_.try_lock()) return false;
      other->buffer_.reset();  // who holds it keeps it
      other->mutex_.unlock();
      return true;
    });
    if (victim == keeping_.end()) return;
    bytes_ -= (*victim)->layout_->bytes();
    keeping_.erase(victim);
  }
}

void Representations::gone(Representation& r) {
  std::lock_guard lock(mutex_);
  if (std::erase(keeping_, &r)) bytes_ -= r.layout_->bytes();
}

}  // namespace vf::runtime
