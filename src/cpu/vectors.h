#pragma once
// Groups of kLanes values in registers of the instruction set's own width, for .isa.cpp files alone (internal linkage).
// Reductions keep kLanes partial results whatever the width, so that their tree is the same everywhere.
#include <cstdint>

namespace vf::cpu::VF_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

constexpr int kLanes = 32;

template <class T>
struct VectorOf {
  static constexpr int kBytes = kVectorBytes < kLanes * int(sizeof(T)) ? kVectorBytes : kLanes * int(sizeof(T));
  typedef T type __attribute__((vector_size(kBytes)));
  typedef T unaligned __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};

template <class T>
struct Lanes {
  using Vector = typename VectorOf<T>::type;
  static constexpr int kSize = VectorOf<T>::kBytes / int(sizeof(T));
  static constexpr int kCount = kLanes / kSize;
  Vector part[kCount];
};

template <class T>
inline Lanes<T> load(const T* x) {
  Lanes<T> v;
#pragma GCC unroll 32
  for (int i = 0; i < Lanes<T>::kCount; ++i) v.part[i] = reinterpret_cast<const typename VectorOf<T>::unaligned*>(x)[i];
  return v;
}

template <class T>
inline void store(const Lanes<T>& v, T* x) {
#pragma GCC unroll 32
  for (int i = 0; i < Lanes<T>::kCount; ++i) reinterpret_cast<typename VectorOf<T>::unaligned*>(x)[i] = v.part[i];
}

}  // namespace
}  // namespace vf::cpu::VF_ISA
