#include "cpu/dnnl/batch_norm.h"

#include <array>
#include <cstring>

#include "cpu/dnnl/primitive.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {
namespace {

// Elements up to which oneDNN's reference code is good enough.
constexpr int64_t kTinyWork = 1 << 12;

std::unique_ptr<Primitive> make(Pass pass, const BatchNormShape& s, DType dtype, bool training, int threads) {
  if (dtype != DType::Float || s.images <= 0 || s.pixels <= 0 || s.channels <= 0) return nullptr;
  // As images of one column: all rows as images of one pixel would take up to a third longer.
  const Layout source = Layout::strided(dtype, std::array{s.images, s.channels, s.pixels, int64_t{1}},
                                        std::array{s.pixels * s.channels, int64_t{1}, s.channels, s.channels});
  return make_batch_norm(pass, source, s.epsilon, !training,
                         {.threads = threads, .allow_reference = s.rows() * s.channels <= kTinyWork});
}

size_t pair_bytes(int64_t channels) { return (static_cast<size_t>(2 * channels) * sizeof(float) + 63) / 64 * 64; }

void* at(void* scratch, size_t offset) { return static_cast<char*>(scratch) + offset; }

// oneDNN takes scale and shift as one array.
void join(const float* scale, const float* shift, size_t channels, float* pair) {
  std::memcpy(pair, scale, channels * sizeof(float));
  if (shift)
    std::memcpy(pair + channels, shift, channels * sizeof(float));
  else
    std::memset(pair + channels, 0, channels * sizeof(float));
}

void check(bool made_for_it) {
  if (!made_for_it)
    throw Error(Code::Internal, "a batch normalization made for training infers, or the other way round");
}

}  // namespace

BatchNormForward::BatchNormForward() = default;
BatchNormForward::~BatchNormForward() = default;

std::unique_ptr<BatchNormForward> BatchNormForward::make(const BatchNormShape& s, DType dtype, bool training,
                                                         int threads) {
  std::unique_ptr<BatchNormForward> self(new BatchNormForward);
  self->primitive_ = dnnl::make(Pass::Forward, s, dtype, training, threads);
  if (!self->primitive_) return nullptr;
  self->channels_ = static_cast<size_t>(s.channels);
  self->pair_bytes_ = pair_bytes(s.channels);
  self->training_ = training;
  return self;
}
size_t BatchNormForward::scratch_bytes() const { return pair_bytes_ + primitive_->scratch_bytes(); }
std::string BatchNormForward::implementation() const { return primitive_->implementation(); }
void BatchNormForward::train(const float* source, const float* scale, const float* shift, float* destination,
                             float* mean, float* variance, void* scratch) const {
  check(training_);
  join(scale, shift, channels_, static_cast<float*>(scratch));
  (*primitive_)(at(scratch, pair_bytes_), source, scratch, destination, mean, variance);
}
void BatchNormForward::infer(const float* source, const float* scale, const float* shift, const float* mean,
                             const float* variance, float* destination, void* scratch) const {
  check(!training_);
  join(scale, shift, channels_, static_cast<float*>(scratch));
  (*primitive_)(at(scratch, pair_bytes_), source, scratch, mean, variance, destination);
}

BatchNormBackward::BatchNormBackward() = default;
BatchNormBackward::~BatchNormBackward() = default;

std::unique_ptr<BatchNormBackward> BatchNormBackward::make(const BatchNormShape& s, DType dtype, bool training,
                                                           int threads) {
  std::unique_ptr<BatchNormBackward> self(new BatchNormBackward);
  self->primitive_ = dnnl::make(Pass::BackwardWeights, s, dtype, training, threads);
  if (!self->primitive_) return nullptr;
  self->channels_ = static_cast<size_t>(s.channels);
  self->pair_bytes_ = pair_bytes(s.channels);
  return self;
}
size_t BatchNormBackward::scratch_bytes() const { return 2 * pair_bytes_ + primitive_->scratch_bytes(); }
std::string BatchNormBackward::implementation() const { return primitive_->implementation(); }
void BatchNormBackward::run(const float* source, const float* scale, const float* mean, const float* variance,
                            const float* d_destination, float* d_source, float* d_scale, float* d_shift,
                            void* scratch) const {
  join(scale, nullptr, channels_, static_cast<float*>(scratch));
  float* pair = static_cast<float*>(at(scratch, pair_bytes_));
  (*primitive_)(at(scratch, 2 * pair_bytes_), source, mean, variance, scratch, d_destination, d_source, pair);
  std::memcpy(d_scale, pair, channels_ * sizeof(float));
  std::memcpy(d_shift, pair + channels_, channels_ * sizeof(float));
}

}  // namespace vf::cpu::dnnl
