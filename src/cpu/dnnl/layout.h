#pragma once
// How the elements of an array lie in memory, as oneDNN sees it, and copies from one such order into another.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "varflow/dtype.h"
#include "varflow/tensor.h"

namespace vf::cpu::dnnl {

class Primitive;
struct LayoutImpl;

// An opaque, immutable value: cheap to copy, safe to share. Two are equal if the same bytes mean the same array.
// A layout may hold more elements than the array has (blocks of 16 channels); those are zero in every array that
// Varflow writes, and whoever writes into one directly keeps them zero.
class Layout {
 public:
  Layout() = default;  // none
  explicit Layout(std::shared_ptr<const LayoutImpl> impl) : impl_(std::move(impl)) {}
  // Element (i, j, ...) lies at i * strides[0] + j * strides[1] + ...; strides count elements. Declined (none) for a
  // dtype that oneDNN does not compute with; float and bfloat16 are taken.
  static Layout strided(DType dtype, std::span<const int64_t> dims, std::span<const int64_t> strides);
  // Left to the primitive that is made with it; Primitive::layout then tells.
  static Layout any(DType dtype, std::span<const int64_t> dims);

  explicit operator bool() const { return impl_ != nullptr; }
  const LayoutImpl* impl() const { return impl_.get(); }
  // Bytes of an array in this layout, blocks filled up.
  size_t bytes() const;
  // True if it holds elements that the array does not have.
  bool padded() const;
  // For logs and tests: dims, strides and inner blocks.
  std::string str() const;
  friend bool operator==(const Layout& a, const Layout& b);

 private:
  std::shared_ptr<const LayoutImpl> impl_;
};

// Copies an array from one layout into another of the same dims. run() is safe from several threads at once.
class Reorder {
 public:
  // nullptr where oneDNN has no such copy. `threads`: see primitive.h.
  static std::unique_ptr<Reorder> make(const Layout& from, const Layout& to, int threads);
  ~Reorder();
  size_t scratch_bytes() const;
  // Makes ready for so many runs at once: they allocate nothing.
  void reserve(int runs_at_once);
  // `scratch`: scratch_bytes() of it, 64-byte aligned, nullptr where that is 0.
  void run(const void* from, void* to, void* scratch) const;

 private:
  explicit Reorder(std::unique_ptr<Primitive> primitive);
  std::unique_ptr<Primitive> primitive_;
};

// `packed` as a layout of variables, whose values lie as `logical` says. nullptr where the copy would need scratch, or
// the layout has no description. `threads`: see primitive.h.
std::shared_ptr<const MemoryLayout> memory_layout(const Layout& logical, const Layout& packed, DType dtype,
                                                  int threads);

}  // namespace vf::cpu::dnnl
