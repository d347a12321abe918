#pragma once
// Which instruction set the loops of src/cpu use. A file NAME.isa.cpp is compiled once for each, in an inner namespace
// VF_ISA; a dispatcher NAME.cpp declares each one's functions with VF_EACH_ISA and indexes VF_ISA_TABLE by an Isa.
#include <cstdint>
#include <vector>

namespace vf::cpu {

#if defined(__x86_64__)
#define VF_EACH_ISA(X) X(sse4) X(avx2) X(avx512)
#define VF_ISA_TABLE(function) \
  { sse4::function, avx2::function, avx512::function }
enum class Isa : uint8_t { sse4, avx2, avx512 };
#else
#define VF_EACH_ISA(X) X(baseline)
#define VF_ISA_TABLE(function) \
  { baseline::function }
enum class Isa : uint8_t { baseline };
#endif

// The best one that this processor has, or the one that the environment variable VARFLOW_ISA names ("sse4", "avx2",
// "avx512") where the processor has it. Decided once.
Isa current_isa();
// All that this processor has, least first.
std::vector<Isa> supported_isas();
const char* isa_name(Isa isa);

}  // namespace vf::cpu
