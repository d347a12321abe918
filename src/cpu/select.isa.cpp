#include "cpu/select_kernels.h"

namespace vf::cpu::VF_ISA {
namespace {

struct Bytes16 {
  uint64_t low;
  uint64_t high;
};

template <class T>
void select(const bool* condition, const void* av, const void* bv, void* yv, int64_t n) {
  const T* a = static_cast<const T*>(av);
  const T* b = static_cast<const T*>(bv);
  T* y = static_cast<T*>(yv);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T yes = a[i];
    const T no = b[i];
    y[i] = condition[i] ? yes : no;
  }
}

SelectLoop loop(size_t size) {
  switch (size) {
    case 1: return select<uint8_t>;
    case 2: return select<uint16_t>;
    case 4: return select<uint32_t>;
    case 8: return select<uint64_t>;
    case 16: return select<Bytes16>;
    default: return nullptr;
  }
}

}  // namespace

extern const SelectKernels select_kernels_table = {loop};

}  // namespace vf::cpu::VF_ISA
