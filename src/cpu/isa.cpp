#include "cpu/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "varflow/error.h"

namespace vf::cpu {

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::baseline: return "baseline";
    case Isa::sse4: return "sse4";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
  }
  return "baseline";
}

bool isa_available(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  switch (isa) {
    case Isa::sse4: return __builtin_cpu_supports("sse4.1");
    case Isa::avx2: return avx2;
    case Isa::avx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    default: return false;
  }
#else
  return isa == Isa::baseline;
#endif
}

Isa choose_isa(const char* wanted, Isa richest) {
  if (wanted == nullptr || *wanted == '\0') return richest;
  std::string known;
  for (Isa isa : kAllIsas) {
    if (std::string(wanted) == isa_name(isa)) return std::min(isa, richest);
    known += (known.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  throw Error(Code::InvalidArgument, "VARFLOW_ISA must be one of " + known + ", got " + wanted);
}

Isa active_isa() {
  static const Isa active = [] {
    Isa richest = kAllIsas[0];
    for (Isa isa : kAllIsas)
      if (isa_available(isa)) richest = isa;
    return choose_isa(std::getenv("VARFLOW_ISA"), richest);
  }();
  return active;
}

}  // namespace vf::cpu
