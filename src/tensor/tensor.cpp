#include "varflow/tensor.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "tensor/elements.h"
#include "tensor/visit.h"

namespace vf {
namespace {

constexpr size_t kAlignment = 64;
// Large buffers ask for huge pages: a pass over several of them at once otherwise waits for address translation.
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLarge = 4 * kHugePage;

void* allocate_bytes(size_t bytes) {
  const size_t alignment = bytes >= kLarge ? kHugePage : kAlignment;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  void* data =
      rounded < bytes ? nullptr : std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment);
#ifdef MADV_HUGEPAGE
  if (data && bytes >= kLarge) ::madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return data;
}

template <class T>
void construct(Buffer* buffer, int64_t n) {
  T* data = static_cast<T*>(buffer->data());
  std::uninitialized_value_construct_n(data, n);
  buffer->set_destroy([data, n] { std::destroy_n(data, n); });
}

}  // namespace

Buffer* Buffer::allocate(size_t bytes) {
  void* data = allocate_bytes(bytes);
  if (!data) throw Error(Code::ResourceExhausted, "no memory for " + std::to_string(bytes) + " bytes");
  return new Buffer(data, bytes, true);
}

Buffer* Buffer::external(void* data, size_t bytes, std::function<void()> release) {
  auto* b = new Buffer(data, bytes, false);
  b->release_ = std::move(release);
  return b;
}

void Buffer::destroy() {
  if (release_) release_();
  if (owned_) std::free(data_);
  delete this;
}

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape), count_(shape.num_elements()) {
  if (count_ < 0) throw Error(Code::InvalidArgument, "a tensor needs a fully defined shape, got " + shape.str());
  const size_t size = dtype_size(dtype);
  size_t bytes = 0;
  if (size == 0) throw Error(Code::InvalidArgument, "a tensor needs a dtype");
  if (__builtin_mul_overflow(static_cast<size_t>(count_), size, &bytes))
    throw Error(Code::ResourceExhausted, "no memory for a tensor of shape " + shape.str());
  buffer_ = BufferRef(Buffer::allocate(bytes));
  if (dtype == DType::String) construct<std::string>(buffer_.get(), count_);
  if (dtype == DType::Resource) construct<ResourceHandle>(buffer_.get(), count_);
  if (dtype == DType::Variant) construct<Variant>(buffer_.get(), count_);
}

Tensor::Tensor(DType dtype, const Shape& shape, BufferRef buffer)
    : dtype_(dtype), shape_(shape), count_(shape.num_elements()), buffer_(std::move(buffer)) {
  if (count_ < 0 || !buffer_ || buffer_->size() < bytes())
    throw Error(Code::InvalidArgument, "a buffer too small for a tensor of shape " + shape.str());
}

Tensor Tensor::zeros(DType dtype, const Shape& shape) {
  Tensor t(dtype, shape);
  if (is_plain(dtype)) std::memset(t.raw(), 0, t.bytes());
  return t;
}

Tensor Tensor::external(DType dtype, const Shape& shape, void* data, std::function<void()> release) {
  const auto bytes = static_cast<size_t>(std::max<int64_t>(shape.num_elements(), 0)) * dtype_size(dtype);
  return Tensor(dtype, shape, BufferRef(Buffer::external(data, bytes, std::move(release))));
}

void Tensor::check_count(size_t wanted) const {
  if (static_cast<size_t>(count_) != wanted)
    throw Error(Code::InvalidArgument, "a tensor of shape " + shape_.str() + " has " + std::to_string(count_) +
                                           " elements, not " + std::to_string(wanted));
}

void Tensor::throw_dtype(DType wanted) const {
  throw Error(Code::InvalidArgument, std::string("a tensor of dtype ") + dtype_python_name(dtype_) + " does not hold " +
                                         dtype_python_name(wanted));
}

double Tensor::number(int64_t i) const {
  return visit_number(dtype_, [&]<class T>() { return convert<double>(static_cast<const T*>(raw())[i]); });
}

Tensor Tensor::clone() const {
  if (!valid()) return {};
  Tensor copy(dtype_, shape_);
  copy_elements(dtype_, raw(), copy.raw(), count_);
  return copy;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  check_count(static_cast<size_t>(shape.num_elements()));
  return Tensor(dtype_, shape, buffer_);
}

Tensor Tensor::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor result(dtype, shape_);
  visit_number(dtype_, [&]<class From>() {
    visit_number(dtype, [&]<class To>() {
      const From* from = static_cast<const From*>(raw());
      To* to = static_cast<To*>(result.raw());
      for (int64_t i = 0; i < count_; ++i) to[i] = convert<To>(from[i]);
    });
  });
  return result;
}

std::string Tensor::str(int most) const {
  if (!valid()) return "<invalid>";
  std::string s = shape_.str() + " " + dtype_python_name(dtype_) + " [";
  for (int64_t i = 0; i < std::min<int64_t>(count_, most); ++i) {
    if (i) s += ' ';
    if (dtype_ == DType::String) {
      s += '"' + data<std::string>()[i] + '"';
    } else if (dtype_ == DType::Resource) {
      s += data<ResourceHandle>()[i].name;
    } else if (dtype_ == DType::Variant) {
      s += data<Variant>()[i] ? data<Variant>()[i]->type_name() : "null";
    } else if (is_complex(dtype_)) {
      s += '?';
    } else {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", number(i));
      s += text;
    }
  }
  return s + (count_ > most ? " ...]" : "]");
}

}  // namespace vf
