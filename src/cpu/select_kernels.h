#pragma once
// What layout.cpp takes from select.isa.cpp.
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace vf::cpu {

// y[i] = condition[i] ? a[i] : b[i]
using SelectLoop = void (*)(const bool* condition, const void* a, const void* b, void* y, int64_t n);

struct SelectKernels {
  SelectLoop (*loop)(size_t size);  // null for other sizes than 1, 2, 4, 8 and 16
};
const SelectKernels& select_kernels(Isa isa);

}  // namespace vf::cpu
