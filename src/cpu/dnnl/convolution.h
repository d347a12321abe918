#pragma once
// Two-dimensional convolution as TensorFlow's Conv2D and its gradients compute it (a cross-correlation): activations
// NHWC, dense; weights HWIO, or in a layout that suits the primitive, if the caller holds them so.
//
// Each object is made for one shape, dtype and number of threads (rule in primitive.h), and may be run by several
// threads at once with a scratch for each. Pointers need the alignment of their elements, scratch 64 bytes; results
// overlap nothing. make() returns nullptr for what oneDNN has no fast implementation of.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cpu/convolution_shape.h"
#include "cpu/dnnl/layout.h"

namespace vf::cpu::dnnl {

class Primitive;
enum class Pass : uint8_t;

// HWIO in C order.
Layout plain_weights(const ConvolutionShape& shape, DType dtype);

struct ConvolutionOptions {
  DType dtype = DType::Float;
  int threads = 1;
  bool bias = false;
  bool relu = false;  // forward only: max(x, 0) after the bias; a NaN becomes 0
  // The layout in which the caller holds the weights (or takes their gradient): plain HWIO if none. It is computed with
  // as it is where oneDNN has a fast kernel for it, else copied within run() into preferred_weights(). The layout that
  // suits training is the one that ConvolutionBackwardWeights prefers: forward takes it too, at the same speed, and
  // only backward-data copies.
  Layout weights = {};
};

// What the three have in common: the primitive, and the copy between the layout that the caller holds the weights in
// and the one that the primitive wants.
class ConvolutionPass {
 public:
  ~ConvolutionPass();
  ConvolutionPass(const ConvolutionPass&) = delete;
  ConvolutionPass& operator=(const ConvolutionPass&) = delete;
  size_t scratch_bytes() const { return scratch_bytes_; }
  // The layout in which weights (or their gradient) need no copy.
  const Layout& preferred_weights() const { return preferred_; }
  // The caller holds them so from here on: no copy, no scratch for it.
  void hold_preferred_weights();
  std::string implementation() const;
  // Makes ready for so many runs at once: they allocate nothing.
  void reserve(int runs_at_once);

 protected:
  ConvolutionPass();
  // False where oneDNN has no fast implementation.
  bool prepare(Pass pass, const ConvolutionShape& shape, const ConvolutionOptions& options);
  // The weights as the primitive wants them: given, or copied to the start of the scratch.
  const void* weights_for_primitive(const void* weights, void* scratch) const;
  // What the primitive itself may use.
  void* rest(void* scratch) const { return static_cast<char*>(scratch) + weights_bytes_; }

  std::unique_ptr<Primitive> primitive_;  // none: nothing to compute
  std::unique_ptr<Reorder> reorder_;      // held weights to preferred ones, gradients the other way; none where equal

 private:
  Layout preferred_;
  size_t weights_bytes_ = 0, scratch_bytes_ = 0;
};

class ConvolutionForward : public ConvolutionPass {
 public:
  static std::unique_ptr<ConvolutionForward> make(const ConvolutionShape& shape, const ConvolutionOptions& options);
  // source [batch, in_h, in_w, in_c]; bias [out_c], nullptr without; destination [batch, out_h, out_w, out_c].
  void run(const void* source, const void* weights, const void* bias, void* destination, void* scratch) const;

 private:
  bool bias_ = false;
};

class ConvolutionBackwardData : public ConvolutionPass {
 public:
  // `bias` and `relu` are ignored.
  static std::unique_ptr<ConvolutionBackwardData> make(const ConvolutionShape& shape,
                                                       const ConvolutionOptions& options);
  // d_destination [batch, out_h, out_w, out_c]; writes all of d_source [batch, in_h, in_w, in_c].
  void run(const void* d_destination, const void* weights, void* d_source, void* scratch) const;

 private:
  size_t result_bytes_ = 0;
};

class ConvolutionBackwardWeights : public ConvolutionPass {
 public:
  // With `bias` also the gradient of the bias. The sums are split by threads: their last bits depend on the number.
  static std::unique_ptr<ConvolutionBackwardWeights> make(const ConvolutionShape& shape,
                                                          const ConvolutionOptions& options);
  // Writes d_weights in options.weights' layout (padding: zeros) and d_bias [out_c], nullptr without.
  void run(const void* source, const void* d_destination, void* d_weights, void* d_bias, void* scratch) const;

 private:
  size_t result_bytes_ = 0, bias_bytes_ = 0;
};

}  // namespace vf::cpu::dnnl
