#include "cpu/dnnl/convolution.h"

#include <algorithm>
#include <cstring>

#include "cpu/dnnl/primitive.h"

namespace vf::cpu::dnnl {
namespace {

// Multiply-adds up to which oneDNN's reference code is good enough.
constexpr int64_t kTinyWork = 1 << 14;

bool possible(const ConvolutionShape& s) {
  return s.groups > 0 && s.in_c % s.groups == 0 && s.out_c % s.groups == 0 && s.stride_h > 0 && s.stride_w > 0 &&
         s.dilation_h > 0 && s.dilation_w > 0;
}

Layout nhwc(DType dtype, int64_t n, int64_t h, int64_t w, int64_t c) {
  return Layout::strided(dtype, std::array{n, c, h, w}, std::array{h * w * c, int64_t{1}, w * c, c});
}

Layout any_weights(const ConvolutionShape& s, DType dtype) {
  if (s.groups == 1) return Layout::any(dtype, std::array{s.out_c, s.in_c, s.k_h, s.k_w});
  return Layout::any(dtype, std::array{s.groups, s.out_c / s.groups, s.in_c / s.groups, s.k_h, s.k_w});
}

std::unique_ptr<Primitive> make(Pass pass, const ConvolutionShape& s, const ConvolutionOptions& o) {
  ProductLayouts layouts;
  layouts.source = nhwc(o.dtype, s.batch, s.in_h, s.in_w, s.in_c);
  layouts.destination = nhwc(o.dtype, s.batch, s.out_h(), s.out_w(), s.out_c);
  layouts.weights = any_weights(s, o.dtype);
  if (o.bias && pass != Pass::BackwardData)
    layouts.bias = Layout::strided(o.dtype, std::array{s.out_c}, std::array{int64_t{1}});
  if (!layouts.source || !layouts.weights) return nullptr;
  const Window window{{s.k_h, s.k_w},
                      {s.stride_h, s.stride_w},
                      {s.dilation_h, s.dilation_w},
                      {s.pad_top, s.pad_left},
                      {s.pad_bottom, s.pad_right}};
  const int64_t work = s.batch * s.out_h() * s.out_w() * s.weights_size();
  MakeOptions options{.threads = o.threads, .relu = o.relu && pass == Pass::Forward};
  if (o.weights) {
    ProductLayouts held = layouts;
    held.weights = o.weights;
    auto primitive = make_convolution(pass, held, window, options);
    // Only kernels made for blocked weights are worth it: the general ones, over a matrix product, are slower.
    if (primitive && primitive->implementation().find("gemm") == std::string::npos) return primitive;
  }
  options.allow_reference = work <= kTinyWork;
  return make_convolution(pass, layouts, window, options);
}

}  // namespace

Layout plain_weights(const ConvolutionShape& s, DType dtype) {
  const int64_t in = s.in_c / s.groups, out = s.out_c / s.groups;
  const int64_t i = s.out_c, w = in * i, h = s.k_w * w;
  if (s.groups == 1)
    return Layout::strided(dtype, std::array{s.out_c, s.in_c, s.k_h, s.k_w}, std::array{int64_t{1}, i, h, w});
  return Layout::strided(dtype, std::array{s.groups, out, in, s.k_h, s.k_w}, std::array{out, int64_t{1}, i, h, w});
}

ConvolutionPass::ConvolutionPass() = default;
ConvolutionPass::~ConvolutionPass() = default;

std::string ConvolutionPass::implementation() const { return primitive_ ? primitive_->implementation() : "nothing"; }

void ConvolutionPass::reserve(int runs_at_once) {
  if (primitive_) primitive_->reserve(runs_at_once);
  if (reorder_) reorder_->reserve(runs_at_once);
}

bool ConvolutionPass::prepare(Pass pass, const ConvolutionShape& s, const ConvolutionOptions& o) {
  primitive_ = dnnl::make(pass, s, o);
  if (!primitive_) return false;
  const bool gradient = pass == Pass::BackwardWeights;
  preferred_ = primitive_->layout(gradient ? Slot::WeightsGradient : Slot::Weights);
  const Layout held = o.weights ? o.weights : plain_weights(s, o.dtype);
  scratch_bytes_ = primitive_->scratch_bytes();
  if (held == preferred_) return true;
  reorder_ = gradient ? Reorder::make(preferred_, held, o.threads) : Reorder::make(held, preferred_, o.threads);
  if (!reorder_) return false;
  // The weights in the primitive's layout, then what the copy and the primitive need one after the other.
  weights_bytes_ = (preferred_.bytes() + 63) / 64 * 64;
  scratch_bytes_ = weights_bytes_ + std::max(primitive_->scratch_bytes(), reorder_->scratch_bytes());
  return true;
}

void ConvolutionPass::hold_preferred_weights() {
  reorder_.reset();
  weights_bytes_ = 0;
  if (primitive_) scratch_bytes_ = primitive_->scratch_bytes();
}

const void* ConvolutionPass::weights_for_primitive(const void* weights, void* scratch) const {
  if (!reorder_) return weights;
  reorder_->run(weights, scratch, rest(scratch));
  return scratch;
}

std::unique_ptr<ConvolutionForward> ConvolutionForward::make(const ConvolutionShape& s, const ConvolutionOptions& o) {
  if (!possible(s)) return nullptr;
  auto self = std::make_unique<ConvolutionForward>();
  self->bias_ = o.bias;
  if (s.destination_size() == 0) return self;
  if (s.in_size() == 0 || s.weights_size() == 0) return nullptr;
  return self->prepare(Pass::Forward, s, o) ? std::move(self) : nullptr;
}

void ConvolutionForward::run(const void* source, const void* weights, const void* bias, void* destination,
                             void* scratch) const {
  if (!primitive_) return;
  weights = weights_for_primitive(weights, scratch);
  if (bias_)
    (*primitive_)(rest(scratch), source, weights, bias, destination);
  else
    (*primitive_)(rest(scratch), source, weights, destination);
}

std::unique_ptr<ConvolutionBackwardData> ConvolutionBackwardData::make(const ConvolutionShape& s,
                                                                       const ConvolutionOptions& o) {
  if (!possible(s)) return nullptr;
  auto self = std::make_unique<ConvolutionBackwardData>();
  self->result_bytes_ = static_cast<size_t>(s.in_size()) * dtype_size(o.dtype);
  if (s.in_size() == 0 || s.destination_size() == 0 || s.weights_size() == 0) return self;
  return self->prepare(Pass::BackwardData, s, o) ? std::move(self) : nullptr;
}

void ConvolutionBackwardData::run(const void* d_destination, const void* weights, void* d_source, void* scratch) const {
  if (!primitive_) {
    if (result_bytes_ > 0) std::memset(d_source, 0, result_bytes_);
    return;
  }
  weights = weights_for_primitive(weights, scratch);
  (*primitive_)(rest(scratch), d_destination, weights, d_source);
}

std::unique_ptr<ConvolutionBackwardWeights> ConvolutionBackwardWeights::make(const ConvolutionShape& s,
                                                                             const ConvolutionOptions& o) {
  if (!possible(s)) return nullptr;
  auto self = std::make_unique<ConvolutionBackwardWeights>();
  self->result_bytes_ = o.weights ? o.weights.bytes() : static_cast<size_t>(s.weights_size()) * dtype_size(o.dtype);
  self->bias_bytes_ = o.bias ? static_cast<size_t>(s.out_c) * dtype_size(o.dtype) : 0;
  if (s.destination_size() == 0 || s.weights_size() == 0) return self;
  if (s.in_size() == 0) return nullptr;
  return self->prepare(Pass::BackwardWeights, s, o) ? std::move(self) : nullptr;
}

void ConvolutionBackwardWeights::run(const void* source, const void* d_destination, void* d_weights, void* d_bias,
                                     void* scratch) const {
  if (!primitive_) {
    if (result_bytes_ > 0) std::memset(d_weights, 0, result_bytes_);
    if (bias_bytes_ > 0) std::memset(d_bias, 0, bias_bytes_);
    return;
  }
  void* result = reorder_ ? scratch : d_weights;
  if (bias_bytes_ > 0)
    (*primitive_)(rest(scratch), source, d_destination, result, d_bias);
  else
    (*primitive_)(rest(scratch), source, d_destination, result);
  if (reorder_) reorder_->run(scratch, d_weights, rest(scratch));
}

}  // namespace vf::cpu::dnnl
