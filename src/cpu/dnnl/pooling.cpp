#include "cpu/dnnl/pooling.h"

#include <array>
#include <cstring>

#include "cpu/dnnl/primitive.h"

namespace vf::cpu::dnnl {
namespace {

// Elements of windows up to which oneDNN's reference code is good enough.
constexpr int64_t kTinyWork = 1 << 12;

Layout nhwc(DType dtype, int64_t n, int64_t h, int64_t w, int64_t c) {
  return Layout::strided(dtype, std::array{n, c, h, w}, std::array{h * w * c, int64_t{1}, w * c, c});
}

bool possible(const PoolingShape& s, DType dtype) {
  return dtype == DType::Float && s.stride_h > 0 && s.stride_w > 0 && s.pad_top < s.k_h && s.pad_bottom < s.k_h &&
         s.pad_left < s.k_w && s.pad_right < s.k_w;
}

std::unique_ptr<Primitive> make(Pass pass, PoolingKind kind, const PoolingShape& s, DType dtype, int threads) {
  const Window window{.size = {s.k_h, s.k_w},
                      .strides = {s.stride_h, s.stride_w},
                      .pad_begin = {s.pad_top, s.pad_left},
                      .pad_end = {s.pad_bottom, s.pad_right}};
  return make_pooling(pass, kind, nhwc(dtype, s.batch, s.in_h, s.in_w, s.channels),
                      nhwc(dtype, s.batch, s.out_h(), s.out_w(), s.channels), window, false,
                      {.threads = threads, .allow_reference = s.out_size() * s.k_h * s.k_w <= kTinyWork});
}

}  // namespace

PoolingForward::PoolingForward() = default;
PoolingForward::~PoolingForward() = default;

std::unique_ptr<PoolingForward> PoolingForward::make(PoolingKind kind, const PoolingShape& s, DType dtype,
                                                     int threads) {
  if (!possible(s, dtype)) return nullptr;
  std::unique_ptr<PoolingForward> self(new PoolingForward);
  if (s.out_size() == 0) return self;
  if (s.in_size() == 0) return nullptr;
  self->primitive_ = dnnl::make(Pass::Forward, kind, s, dtype, threads);
  return self->primitive_ ? std::move(self) : nullptr;
}
size_t PoolingForward::scratch_bytes() const { return primitive_ ? primitive_->scratch_bytes() : 0; }
std::string PoolingForward::implementation() const { return primitive_ ? primitive_->implementation() : "nothing"; }
void PoolingForward::run(const void* source, void* destination, void* scratch) const {
  if (primitive_) (*primitive_)(scratch, source, destination);
}

AveragePoolingBackward::AveragePoolingBackward() = default;
AveragePoolingBackward::~AveragePoolingBackward() = default;

std::unique_ptr<AveragePoolingBackward> AveragePoolingBackward::make(const PoolingShape& s, DType dtype, int threads) {
  if (!possible(s, dtype)) return nullptr;
  std::unique_ptr<AveragePoolingBackward> self(new AveragePoolingBackward);
  self->result_bytes_ = static_cast<size_t>(s.in_size()) * dtype_size(dtype);
  if (s.out_size() == 0 || s.in_size() == 0) return self;
  self->primitive_ = dnnl::make(Pass::BackwardData, PoolingKind::Average, s, dtype, threads);
  return self->primitive_ ? std::move(self) : nullptr;
}
size_t AveragePoolingBackward::scratch_bytes() const { return primitive_ ? primitive_->scratch_bytes() : 0; }
std::string AveragePoolingBackward::implementation() const {
  return primitive_ ? primitive_->implementation() : "nothing";
}
void AveragePoolingBackward::run(const void* d_destination, void* d_source, void* scratch) const {
  if (primitive_)
    (*primitive_)(scratch, d_destination, d_source);
  else if (result_bytes_ > 0)
    std::memset(d_source, 0, result_bytes_);
}

}  // namespace vf::cpu::dnnl
