#pragma once
// oneDNN without its headers: primitives that are made once, when a plan is made, and run often. library.cpp is the
// only file that knows oneDNN's own interface and version.
//
// Threads. oneDNN cuts work into as many parts as the primitive was made for, and with fewer threads than that some
// primitives leave parts out without an error. So a primitive is made for a number of threads, must run where that
// many are available (available_threads of base/parallel.h), and run() throws FailedPrecondition where they are not.
// One made for a single thread runs everywhere, also inside a parallel region.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "cpu/dnnl/layout.h"

namespace vf::cpu::dnnl {

// What an argument of a primitive is.
enum class Slot : uint8_t {
  Source,
  Weights,
  Bias,
  Destination,
  SourceGradient,
  WeightsGradient,
  BiasGradient,
  DestinationGradient,
  Workspace,
};

struct MakeOptions {
  int threads = 1;
  bool relu = false;  // max(x, 0) applied to the destination; a NaN becomes 0 there
  // Implementations named "ref" are a hundred times slower than a loop and are refused, unless the work is this small.
  bool allow_reference = false;
};

// Thread-safe: several threads may run one primitive at once, each with its own scratch.
class Primitive {
 public:
  struct Impl;
  explicit Primitive(std::unique_ptr<Impl> impl);
  ~Primitive();

  size_t scratch_bytes() const;
  int threads() const;
  // oneDNN's name of the chosen implementation, e.g. "jit:avx512_core".
  const std::string& implementation() const;
  // What the primitive wants an argument to look like; none for one that it does not have.
  Layout layout(Slot slot) const;

  // Makes ready for so many runs at once (at most 16), where they are known to come.
  void reserve(int runs_at_once);
  // `arguments`: a pointer for each slot, in the order of the make function's list. `scratch`: 64-byte aligned,
  // nullptr where scratch_bytes() is 0. Allocates nothing of its own unless more threads than ever before, and
  // than were reserved, run this primitive at once. FailedPrecondition where fewer threads are available than it was
  // made for.
  void run(std::span<const void* const> arguments, void* scratch) const;
  template <class... Pointers>
  void operator()(void* scratch, Pointers... pointers) const {
    const std::array<const void*, sizeof...(Pointers)> arguments{pointers...};
    run(arguments, scratch);
  }

 private:
  std::unique_ptr<Impl> impl_;
};

// Each make function returns nullptr where oneDNN has no (fast) implementation, and throws ResourceExhausted where
// memory is short. Made again with the same arguments, a primitive comes from oneDNN's cache.

// Source, destination.
std::unique_ptr<Primitive> make_reorder(const Layout& from, const Layout& to, const MakeOptions& options);

enum class Pass : uint8_t { Forward, BackwardData, BackwardWeights };

// Height, width.
struct Window {
  std::array<int64_t, 2> size{1, 1};
  std::array<int64_t, 2> strides{1, 1};
  std::array<int64_t, 2> dilations{1, 1};
  std::array<int64_t, 2> pad_begin{0, 0};
  std::array<int64_t, 2> pad_end{0, 0};
};

// Logical dims: source and destination N, C, H, W; weights [G,] O, I, H, W; bias O. Bias may be none.
//   Forward:         Source, Weights, [Bias,] Destination
//   BackwardData:    DestinationGradient, Weights, SourceGradient
//   BackwardWeights: Source, DestinationGradient, WeightsGradient [, BiasGradient]
struct ProductLayouts {
  Layout source, weights, bias, destination;
};
std::unique_ptr<Primitive> make_convolution(Pass pass, const ProductLayouts& layouts, const Window& window,
                                            const MakeOptions& options);

// Source [B,] M, K; weights [B,] K, N; bias [1,] 1, N or none; destination [B,] M, N.
//   Source, Weights, [Bias,] Destination
std::unique_ptr<Primitive> make_matmul(const ProductLayouts& layouts, const MakeOptions& options);

// The average counts only elements inside the image, as TensorFlow's does.
enum class PoolingKind : uint8_t;
//   Forward:      Source, Destination [, Workspace: only with `workspace`]
//   BackwardData: DestinationGradient, [Workspace: for Max,] SourceGradient
std::unique_ptr<Primitive> make_pooling(Pass pass, PoolingKind kind, const Layout& source, const Layout& destination,
                                        const Window& window, bool workspace, const MakeOptions& options);

}  // namespace vf::cpu::dnnl
