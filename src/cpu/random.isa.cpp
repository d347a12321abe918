#include "cpu/glibc_math.h"
#include "cpu/random_kernels.h"
#include "cpu/small_floats.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are stored two at a time");

namespace vf::cpu::VF_ISA {

namespace {

// ---- Philox, a call a 64-bit lane. Each lane holds a 32-bit word; what is above it is garbage that the multiplication
// ignores. GCC does not find this instruction in a plain loop, and multiplies 64 by 64 bits instead: ten times slower.
#if defined(__AVX512F__)
constexpr int kLanes = 8;
#elif defined(__AVX2__)
constexpr int kLanes = 4;
#else
constexpr int kLanes = 2;
#endif
typedef uint64_t Lanes __attribute__((vector_size(8 * kLanes)));

inline Lanes multiply(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (Lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffU) * (b & 0xffffffffU);
#endif
}

void count(uint64_t low, uint64_t high, uint64_t stride, int calls, PhiloxBlock* block) {
  constexpr int kRounding = PhiloxBlock::kRounding;
  const int rounded = (calls + kRounding - 1) / kRounding * kRounding;
  for (int i = 0; i < rounded; ++i) {
    const uint64_t sum = low + stride * static_cast<uint64_t>(i);
    block->counter_low[i] = sum;
    block->counter_high[i] = high + (sum < low ? 1 : 0);
  }
}

void generate(uint32_t key0, uint32_t key1, int calls, PhiloxBlock* block) {
  constexpr int kChains = 2;  // independent chains hide the latency of the multiplication
  static_assert(PhiloxBlock::kRounding % (kChains * kLanes) == 0);
  static_assert(PhiloxBlock::kCalls % PhiloxBlock::kRounding == 0);
  for (int i = 0; i < calls; i += kChains * kLanes) {
    Lanes c0[kChains];
    Lanes c1[kChains];
    Lanes c2[kChains];
    Lanes c3[kChains];
    for (int j = 0; j < kChains; ++j) {
      __builtin_memcpy(&c0[j], block->counter_low + i + j * kLanes, sizeof(Lanes));
      __builtin_memcpy(&c2[j], block->counter_high + i + j * kLanes, sizeof(Lanes));
      c1[j] = c0[j] >> 32;
      c3[j] = c2[j] >> 32;
    }
    uint32_t k0 = key0;
    uint32_t k1 = key1;
    for (int round = 0; round < 10; ++round) {
      for (int j = 0; j < kChains; ++j) {
        const Lanes p0 = multiply(c0[j], Lanes{} + 0xD2511F53U);
        const Lanes p1 = multiply(c2[j], Lanes{} + 0xCD9E8D57U);
        c0[j] = (p1 >> 32) ^ c1[j] ^ k0;
        c1[j] = p1;
        c2[j] = (p0 >> 32) ^ c3[j] ^ k1;
        c3[j] = p0;
      }
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    for (int j = 0; j < kChains; ++j) {
      uint32_t* out = block->words + 4 * (i + j * kLanes);
      for (int lane = 0; lane < kLanes; ++lane) {
        const uint64_t first = (c0[j][lane] & 0xffffffffU) | c1[j][lane] << 32;
        const uint64_t second = (c2[j][lane] & 0xffffffffU) | c3[j][lane] << 32;
        __builtin_memcpy(out + 4 * lane, &first, 8);
        __builtin_memcpy(out + 4 * lane + 2, &second, 8);
      }
    }
  }
}

// ---- Words to uniform values: the low bits become the mantissa of a number in [1, 2).

inline float uniform(uint32_t word) { return __builtin_bit_cast(float, 0x3f800000U | (word & 0x7fffffU)) - 1.0F; }

void uniform_float(const uint32_t* __restrict words, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = uniform(words[i]);
}

// m / 1024 and m / 128 are exact in half and bfloat16, and no subnormals: the upper bits of their float form will do.
void uniform_half(const uint32_t* __restrict words, int64_t n, Half* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t m = words[i] & 0x3ffU;
    const uint32_t bits = __builtin_bit_cast(uint32_t, static_cast<float>(static_cast<int32_t>(m)) * 0x1p-10F);
    out[i].bits = static_cast<uint16_t>(m == 0 ? 0U : (bits >> 13) - (112U << 10));
  }
}

void uniform_bfloat16(const uint32_t* __restrict words, int64_t n, BFloat16* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const float value = static_cast<float>(static_cast<int32_t>(words[i] & 0x7fU)) * 0x1p-7F;
    out[i].bits = static_cast<uint16_t>(__builtin_bit_cast(uint32_t, value) >> 16);
  }
}

void uniform_double(const uint32_t* __restrict words, int64_t n, double* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t high = 0x3ff00000U | (words[2 * i] & 0xfffffU);
    const uint64_t bits = high << 32 | words[2 * i + 1];
    out[i] = __builtin_bit_cast(double, bits) - 1.0;
  }
}

// ---- Normal values

// In steps over tiles, because GCC declines the whole of it in one loop.
void normal_float(const uint32_t* __restrict words, int64_t pairs, float* __restrict out) {
  constexpr int kTile = 64;
  float radius[kTile];
  float angle[kTile];
  float sine[kTile];
  float cosine[kTile];
  for (int64_t begin = 0; begin < pairs; begin += kTile) {
    const int n = static_cast<int>(pairs - begin < kTile ? pairs - begin : kTile);
    const uint32_t* in = words + 2 * begin;
    for (int i = 0; i < n; ++i) {
      const float u = uniform(in[2 * i]);
      radius[i] = u < 1e-7F ? 1e-7F : u;
      angle[i] = static_cast<float>(2 * 0x1.921fb54442d18p1 * static_cast<double>(uniform(in[2 * i + 1])));
    }
    for (int i = 0; i < n; ++i) radius[i] = __builtin_sqrtf(-2.0F * glibc_log(radius[i]));
    for (int i = 0; i < n; ++i) glibc_sin_cos(angle[i], sine + i, cosine + i);
    for (int i = 0; i < n; ++i) {
      out[2 * (begin + i)] = sine[i] * radius[i];
      out[2 * (begin + i) + 1] = cosine[i] * radius[i];
    }
  }
}

void log_array(const float* __restrict x, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = glibc_log(x[i]);
}

void sin_cos_array(const float* __restrict x, int64_t n, float* __restrict sine, float* __restrict cosine) {
  for (int64_t i = 0; i < n; ++i) glibc_sin_cos(x[i], sine + i, cosine + i);
}

}  // namespace

extern const RandomKernels random_kernels_table = {
    .count = count,
    .generate = generate,
    .uniform_half = uniform_half,
    .uniform_bfloat16 = uniform_bfloat16,
    .uniform_float = uniform_float,
    .uniform_double = uniform_double,
    .normal_float = normal_float,
    .round_half = from_floats<Half>,
    .round_bfloat16 = from_floats<BFloat16>,
    .log = log_array,
    .sin_cos = sin_cos_array,
};

}  // namespace vf::cpu::VF_ISA
