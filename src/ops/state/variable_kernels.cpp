// Kernels that reference and resource variables share.
#include <cstring>

#include "base/parallel.h"
#include "ops/state/state_ops.h"

namespace vf {
namespace {

template <size_t kBytes>
void copy(const void* x, void* y, int64_t n) {
  std::memcpy(y, x, static_cast<size_t>(n) * kBytes);
}

}  // namespace

KernelFunction update_variable(cpu::BinaryOp op) {
  return [op](KernelMake& m) -> std::unique_ptr<Kernel> {
    const auto loops = cpu::binary_loops(op, m.input_dtype(1));
    if (!loops) return nullptr;
    const int64_t n = m.input_shape(1).num_elements();
    const size_t size = dtype_size(m.input_dtype(1));
    const int threads = m.threads();
    const ElementwiseLoop each{.binary = loops.both, .elements = n, .operand_bytes = size, .result_bytes = size};
    return kernel(each, [=](KernelRun& r) {
      auto* variable = r.variable<char>(0);
      const auto* value = r.input<char>(1);
      parallel_for(threads, n, cpu::kGrain, [&](int64_t begin, int64_t end) {
        char* at = variable + static_cast<size_t>(begin) * size;
        loops.both(at, value + static_cast<size_t>(begin) * size, at, end - begin);
      });
    });
  };
}

std::unique_ptr<Kernel> assign_variable(KernelMake& m) {
  const int64_t n = m.input_shape(1).num_elements();
  const DType dtype = m.input_dtype(1);
  const auto run = [=](KernelRun& r) { copy_elements(dtype, r.input_raw(1), r.variable_raw(0), n); };
  const size_t size = dtype_size(dtype);
  ElementwiseLoop each{.copies = true, .first_operand = 1, .elements = n, .operand_bytes = size, .result_bytes = size};
  each.unary = size == 1 ? copy<1> : size == 2 ? copy<2> : size == 4 ? copy<4> : size == 8 ? copy<8> : nullptr;
  if (!is_plain(dtype) || !each.unary) return kernel(run);
  return kernel(each, run);
}

std::unique_ptr<Kernel> ask_initialized(KernelMake&) {
  return kernel([](KernelRun& r) { *r.output<bool>() = r.input_raw(0) != nullptr; });
}

}  // namespace vf
