#include "cpu/isa.h"

#include <cstdlib>
#include <string_view>

namespace vf::cpu {
namespace {

Isa choose() {
  const std::vector<Isa> have = supported_isas();
  if (const char* wanted = std::getenv("VARFLOW_ISA"))
    for (Isa isa : have)
      if (std::string_view(wanted) == isa_name(isa)) return isa;
  return have.back();
}

}  // namespace

#if defined(__x86_64__)

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::sse4: return "sse4";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
  }
  return "";
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> have{Isa::sse4};
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) return have;
  have.push_back(Isa::avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    have.push_back(Isa::avx512);
  return have;
}

#else

const char* isa_name(Isa) {
  return "baseline";
}
std::vector<Isa> supported_isas() {
  return {Isa::baseline};
}

#endif

Isa current_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace vf::cpu
