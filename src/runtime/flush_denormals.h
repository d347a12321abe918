#pragma once
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace vf::runtime {

// Denormals count as zero while a plan runs, as on TensorFlow's threads; the caller's mode comes back afterwards.
class FlushDenormals {
#if defined(__x86_64__)
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
#endif
};

}  // namespace vf::runtime
