#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "varflow/dtype.h"
#include "varflow/error.h"
#include "varflow/export.h"
#include "varflow/shape.h"

namespace vf {

// Base of what a Variant element may hold; cloned never, shared always.
class VF_API VariantValue {
 public:
  virtual ~VariantValue() = default;
  virtual std::string type_name() const = 0;
};
using Variant = std::shared_ptr<const VariantValue>;

// What a Resource element names: a variable or another stateful thing of a session.
struct ResourceHandle {
  std::string container;
  std::string name;
  std::string type;  // "Var", "Iterator", ...
};

// DType of a C++ element type, and the other way round through visit_dtype (src/tensor/visit.h).
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::Float;
  if constexpr (std::is_same_v<T, double>) return DType::Double;
  if constexpr (std::is_same_v<T, int32_t>) return DType::Int32;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::UInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::Int16;
  if constexpr (std::is_same_v<T, int8_t>) return DType::Int8;
  if constexpr (std::is_same_v<T, std::string>) return DType::String;
  if constexpr (std::is_same_v<T, int64_t>) return DType::Int64;
  if constexpr (std::is_same_v<T, bool>) return DType::Bool;
  if constexpr (std::is_same_v<T, BFloat16>) return DType::BFloat16;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::UInt16;
  if constexpr (std::is_same_v<T, Half>) return DType::Half;
  if constexpr (std::is_same_v<T, ResourceHandle>) return DType::Resource;
  if constexpr (std::is_same_v<T, Variant>) return DType::Variant;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::UInt32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::UInt64;
  return DType::Invalid;
}

// Memory with a reference count. Its address is 64-byte aligned where Varflow allocated it, of any alignment
// where it came from outside. Thread-safe count; the bytes are not guarded.
class VF_API Buffer {
 public:
  // Uninitialized bytes; ResourceExhausted where the system has none.
  static Buffer* allocate(size_t bytes);
  // Adopts memory of somebody else's; `release` runs when the last reference goes.
  static Buffer* external(void* data, size_t bytes, std::function<void()> release);

  void* data() const { return data_; }
  size_t size() const { return bytes_; }
  void ref() { count_.fetch_add(1, std::memory_order_relaxed); }
  void unref() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  // True if the caller holds the only reference; orders after the release of all others.
  bool unique() const { return count_.load(std::memory_order_acquire) == 1; }
  // Run with the buffer's address before the memory goes (strings, resources and variants are destroyed there).
  void set_destroy(std::function<void()> destroy) { release_ = std::move(destroy); }

 private:
  Buffer(void* data, size_t bytes, bool owned) : data_(data), bytes_(bytes), owned_(owned) {}
  ~Buffer() = default;
  void destroy();

  void* data_;
  size_t bytes_;
  std::atomic<int> count_{1};
  bool owned_;
  std::function<void()> release_;
};

// An intrusive pointer to a Buffer.
class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(Buffer* adopted) : buffer_(adopted) {}  // takes over one reference
  BufferRef(const BufferRef& other) : buffer_(other.buffer_) {
    if (buffer_) buffer_->ref();
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() { reset(); }
  void reset() {
    if (auto* b = std::exchange(buffer_, nullptr)) b->unref();
  }
  Buffer* get() const { return buffer_; }
  Buffer* operator->() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  Buffer* buffer_ = nullptr;
};

// How the elements of an array lie in memory, where that is not C order: packed for a kernel. Never changes;
// thread-safe.
class VF_API MemoryLayout {
 public:
  virtual ~MemoryLayout() = default;
  // Of an array in this layout, with what fills it up.
  virtual size_t bytes() const = 0;
  // Layouts of one key put the same array into the same bytes.
  virtual const std::string& key() const = 0;
  // Copies an array in C order into this layout, all bytes() of it. Both are 64-byte aligned. Allocates nothing.
  virtual void from_logical(const void* logical, void* packed) const = 0;
};

// A dense array in C order. Copies share the buffer; clone() does not. Elements of String tensors are std::string,
// of Resource tensors ResourceHandle, of Variant tensors Variant.
class VF_API Tensor {
 public:
  Tensor() = default;  // DType::Invalid, no elements
  // Uninitialized numbers, or default-constructed strings, handles, variants. InvalidArgument unless fully defined.
  Tensor(DType dtype, const Shape& shape);
  // Views `buffer`, which must hold at least the shape's bytes.
  Tensor(DType dtype, const Shape& shape, BufferRef buffer);

  // Scalars, so that a number can stand where a tensor goes.
  Tensor(float value) : Tensor(scalar(value)) {}
  Tensor(double value) : Tensor(scalar(value)) {}
  Tensor(int32_t value) : Tensor(scalar(value)) {}
  Tensor(int64_t value) : Tensor(scalar(value)) {}
  Tensor(bool value) : Tensor(scalar(value)) {}
  Tensor(const std::string& value) : Tensor(scalar(value)) {}
  Tensor(const char* value) : Tensor(scalar(std::string(value))) {}

  template <class T>
  static Tensor scalar(const T& value) {
    Tensor t(dtype_of<T>(), Shape{});
    *t.data<T>() = value;
    return t;
  }
  // InvalidArgument unless there are as many values as the shape has elements.
  template <class T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor t(dtype_of<T>(), shape);
    t.check_count(values.size());
    std::copy(values.begin(), values.end(), t.data<T>());
    return t;
  }
  template <class T>
  static Tensor vector(std::initializer_list<T> values) {
    return of<T>(Shape{static_cast<int64_t>(values.size())}, values);
  }
  static Tensor zeros(DType dtype, const Shape& shape);
  // Views memory of the caller's, which must stay until `release` runs; any alignment.
  static Tensor external(DType dtype, const Shape& shape, void* data, std::function<void()> release);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t num_elements() const { return dtype_ == DType::Invalid ? 0 : count_; }
  size_t bytes() const { return static_cast<size_t>(num_elements()) * dtype_size(dtype_); }
  bool valid() const { return dtype_ != DType::Invalid; }

  const void* raw() const { return buffer_ ? buffer_->data() : nullptr; }
  void* raw() { return buffer_ ? buffer_->data() : nullptr; }
  // InvalidArgument where T is not the element type.
  template <class T>
  const T* data() const {
    check_dtype(dtype_of<T>());
    return static_cast<const T*>(raw());
  }
  template <class T>
  T* data() {
    check_dtype(dtype_of<T>());
    return static_cast<T*>(raw());
  }
  template <class T>
  std::span<const T> values() const {
    return {data<T>(), static_cast<size_t>(count_)};
  }
  template <class T>
  T item() const {  // the only element
    check_count(1);
    return *data<T>();
  }
  // Element i as a double, whatever the numeric type.
  double number(int64_t i) const;

  Tensor clone() const;
  // Same buffer, other shape of as many elements.
  Tensor reshaped(const Shape& shape) const;
  // Each element converted as C does; bool is 0 or 1. InvalidArgument for strings, resources, variants.
  Tensor cast(DType dtype) const;
  // "<2,3> float [1 2 3 ...]", at most `most` elements.
  std::string str(int most = 8) const;
  const BufferRef& buffer() const { return buffer_; }

 private:
  void check_dtype(DType wanted) const {
    if (wanted != dtype_) throw_dtype(wanted);
  }
  void check_count(size_t wanted) const;
  [[noreturn]] void throw_dtype(DType wanted) const;

  DType dtype_ = DType::Invalid;
  Shape shape_;
  int64_t count_ = 0;
  BufferRef buffer_;
};

}  // namespace vf
