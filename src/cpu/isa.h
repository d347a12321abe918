#pragma once
// Which instruction set the kernels of NAME.isa.cpp files run with, and the tables that reach them.
//
// cmake compiles a file NAME.isa.cpp once for each instruction set, with the macro VF_ISA set to its name, and its
// flags. Such a file must emit nothing that another file could share: an inline function of a header, compiled there
// for AVX-512, may be the copy that the linker keeps for everyone. So it holds plain loops, static functions and
// templates in the namespace VF_ISA, and one table of function pointers. The pattern, for a set of kernels called
// `scale`:
//
//   scale_kernels.h    namespace vf::cpu {
//                      struct ScaleKernels { void (*scale)(float* x, int64_t n, float factor); };
//                      const ScaleKernels& scale_kernels(Isa isa);
//                      }
//   scale.isa.cpp      namespace vf::cpu::VF_ISA {
//                      static void scale(float* x, int64_t n, float factor) { ... }
//                      extern const ScaleKernels scale_kernels_table = {scale};
//                      }
//   scale.cpp          namespace vf::cpu { VF_ISA_TABLES(ScaleKernels, scale_kernels) }
//
// Callers say scale_kernels(active_isa()).scale(...); tests walk over kAllIsas. Every table gives the same bits.

namespace vf::cpu {

// From poor to rich. On x86-64 sse4 (SSE4.1) is the least, avx2 means AVX2, FMA and F16C, and avx512 the subsets F, BW,
// DQ and VL beside those. Elsewhere there is just the baseline of the architecture.
enum class Isa { baseline, sse4, avx2, avx512 };

#if defined(__x86_64__)
inline constexpr Isa kAllIsas[] = {Isa::sse4, Isa::avx2, Isa::avx512};
#else
inline constexpr Isa kAllIsas[] = {Isa::baseline};
#endif

const char* isa_name(Isa isa);

// Whether this processor (and its operating system) can run it, and this build has it.
bool isa_available(Isa isa);

// The richest available set, capped by the environment variable VARFLOW_ISA (sse4, avx2 or avx512). Chosen once, at the
// first call; thread safe. Throws InvalidArgument at each call while the variable names no set of this build.
Isa active_isa();

// The rule of active_isa: `wanted` is the variable's value, null or empty where it is not set.
Isa choose_isa(const char* wanted, Isa richest);

}  // namespace vf::cpu

// Defines `const Type& name(vf::cpu::Isa)` on the tables called name_table of each instruction set; stands inside
// namespace vf::cpu, in a .cpp. The set must be available.
#if defined(__x86_64__)
#define VF_ISA_TABLES(Type, name)                               \
  namespace sse4 {                                              \
  extern const Type name##_table;                               \
  }                                                             \
  namespace avx2 {                                              \
  extern const Type name##_table;                               \
  }                                                             \
  namespace avx512 {                                            \
  extern const Type name##_table;                               \
  }                                                             \
  const Type& name(::vf::cpu::Isa isa) {                        \
    switch (isa) {                                              \
      case ::vf::cpu::Isa::avx512: return avx512::name##_table; \
      case ::vf::cpu::Isa::avx2: return avx2::name##_table;     \
      default: return sse4::name##_table;                       \
    }                                                           \
  }
#else
#define VF_ISA_TABLES(Type, name) \
  namespace baseline {            \
  extern const Type name##_table; \
  }                               \
  const Type& name(::vf::cpu::Isa) { return baseline::name##_table; }
#endif
