#include "cpu/random.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "cpu/random_kernels.h"
#include "cpu/random_scalar.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(RandomKernels, random_kernels)

namespace {

constexpr int kWords = 4 * PhiloxBlock::kCalls;  // of one block
constexpr int64_t kGrain = 10000 / 4;            // calls below which a second thread does not pay

// Calls f(words, first, count) for consecutive spans of elements that cover [0, n), each with the words that the span
// takes; `per_call` elements take one call. All spans but the last are multiples of 4 elements.
template <class F>
void for_each_span(const Philox& base, int64_t n, int per_call, int threads, const RandomKernels& kernels, F f) {
  const int64_t calls = (n + per_call - 1) / per_call;
  parallel_for(threads, calls, kGrain, [&](int64_t begin, int64_t end) {
    PhiloxBlock block;
    for (int64_t call = begin; call < end; call += PhiloxBlock::kCalls) {
      const int size = static_cast<int>(std::min<int64_t>(PhiloxBlock::kCalls, end - call));
      const Philox at = base.skipped(static_cast<uint64_t>(call));
      kernels.count(at.counter_low, at.counter_high, 1, size, &block);
      kernels.generate(base.key[0], base.key[1], size, &block);
      const int64_t first = call * per_call;
      f(static_cast<const uint32_t*>(block.words), first, std::min<int64_t>(int64_t{size} * per_call, n - first));
    }
  });
}

void normals(const uint32_t* words, int64_t n, float* out, const RandomKernels& kernels) {
  kernels.normal_float(words, n / 2, out);
  if (n % 2 == 0) return;
  float pair[2];
  kernels.normal_float(words + n - 1, 1, pair);
  out[n - 1] = pair[0];
}

void normals(const uint32_t* words, int64_t n, double* out, const RandomKernels&) {
  for (int64_t i = 0; i < n; i += 2) {
    double pair[2];
    normal_pair(words + 2 * i, pair);
    out[i] = pair[0];
    if (i + 1 < n) out[i + 1] = pair[1];
  }
}

// Groups of 4 values (2 doubles) have a stretch of the stream each, of 64 calls a value: group i draws until it is
// full, and most are after one call. `store(values, first, count)` takes the results in order.
template <class Compute, class Store>
void truncated_normals(const Philox& base, int64_t n, int threads, const RandomKernels& kernels, Store store) {
  constexpr int kGroup = sizeof(Compute) == 8 ? 2 : 4;
  constexpr uint64_t kStretch = 64 * kGroup;
  constexpr int kGroups = PhiloxBlock::kCalls;
  const int64_t groups = (n + kGroup - 1) / kGroup;
  parallel_for(threads, groups, kGrain, [&](int64_t begin, int64_t end) {
    PhiloxBlock block;
    Compute drawn[kGroups * kGroup];
    Compute kept[kGroups * kGroup];
    int size_of[kGroups];     // values kept so far in each group
    int unfinished[kGroups];  // the groups whose next call is drawn in this round
    for (int64_t first = begin; first < end; first += kGroups) {
      const int size = static_cast<int>(std::min<int64_t>(kGroups, end - first));
      const Philox at = base.skipped(static_cast<uint64_t>(first) * kStretch);
      kernels.count(at.counter_low, at.counter_high, kStretch, size, &block);
      for (int i = 0; i < size; ++i) {
        size_of[i] = 0;
        unfinished[i] = i;
      }
      int left = size;
      for (uint64_t round = 1; left > 0; ++round) {
        kernels.generate(base.key[0], base.key[1], left, &block);
        normals(block.words, int64_t{left} * kGroup, drawn, kernels);
        int still = 0;
        for (int i = 0; i < left; ++i) {
          const int group = unfinished[i];
          Compute* to = kept + group * kGroup;
          int count = size_of[group];
          for (int j = 0; j < kGroup && count < kGroup; ++j) {
            to[count] = drawn[i * kGroup + j];
            count += std::abs(to[count]) < Compute(2) ? 1 : 0;
          }
          size_of[group] = count;
          if (count == kGroup) continue;
          const Philox next = at.skipped(static_cast<uint64_t>(group) * kStretch + round);
          block.counter_low[still] = next.counter_low;
          block.counter_high[still] = next.counter_high;
          unfinished[still++] = group;
        }
        left = still;
      }
      store(static_cast<const Compute*>(kept), first * kGroup,
            std::min<int64_t>(int64_t{size} * kGroup, n - first * kGroup));
    }
  });
}

void check_bounds(int64_t low, int64_t high) {
  if (low >= high)
    throw Error(Code::InvalidArgument,
                "Need minval < maxval, got " + std::to_string(low) + " >= " + std::to_string(high));
}

}  // namespace

void fill_uniform(const Philox& base, int64_t n, Half* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    k.uniform_half(words, count, out + first);
  });
}

void fill_uniform(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    k.uniform_bfloat16(words, count, out + first);
  });
}

void fill_uniform(const Philox& base, int64_t n, float* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    k.uniform_float(words, count, out + first);
  });
}

void fill_uniform(const Philox& base, int64_t n, double* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 2, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    k.uniform_double(words, count, out + first);
  });
}

void fill_normal(const Philox& base, int64_t n, Half* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    float values[kWords];
    normals(words, count, values, k);
    k.round_half(values, out + first, count);
  });
}

void fill_normal(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k, [&](const uint32_t* words, int64_t first, int64_t count) {
    float values[kWords];
    normals(words, count, values, k);
    k.round_bfloat16(values, out + first, count);
  });
}

void fill_normal(const Philox& base, int64_t n, float* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 4, threads, k,
                [&](const uint32_t* words, int64_t first, int64_t count) { normals(words, count, out + first, k); });
}

void fill_normal(const Philox& base, int64_t n, double* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  for_each_span(base, n, 2, threads, k,
                [&](const uint32_t* words, int64_t first, int64_t count) { normals(words, count, out + first, k); });
}

void fill_truncated_normal(const Philox& base, int64_t n, Half* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  truncated_normals<float>(base, n, threads, k, [&](const float* values, int64_t first, int64_t count) {
    k.round_half(values, out + first, count);
  });
}

void fill_truncated_normal(const Philox& base, int64_t n, BFloat16* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  truncated_normals<float>(base, n, threads, k, [&](const float* values, int64_t first, int64_t count) {
    k.round_bfloat16(values, out + first, count);
  });
}

void fill_truncated_normal(const Philox& base, int64_t n, float* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  truncated_normals<float>(base, n, threads, k, [&](const float* values, int64_t first, int64_t count) {
    std::copy_n(values, count, out + first);
  });
}

void fill_truncated_normal(const Philox& base, int64_t n, double* out, int threads, Isa isa) {
  const RandomKernels& k = random_kernels(isa);
  truncated_normals<double>(base, n, threads, k, [&](const double* values, int64_t first, int64_t count) {
    std::copy_n(values, count, out + first);
  });
}

void fill_uniform_int(const Philox& base, int64_t n, int32_t low, int32_t high, int32_t* out, int threads, Isa isa) {
  if (n <= 0) return;
  check_bounds(low, high);
  const uint32_t range = static_cast<uint32_t>(high) - static_cast<uint32_t>(low);
  // x % range without a division (Lemire, Kaser and Kurz, 2019): the upper half of fraction(x / range) * range.
  const uint64_t reciprocal = ~uint64_t{0} / range + 1;
  for_each_span(base, n, 4, threads, random_kernels(isa), [&](const uint32_t* words, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t fraction = reciprocal * words[i];
      const auto remainder = static_cast<uint32_t>((static_cast<unsigned __int128>(fraction) * range) >> 64);
      out[first + i] = static_cast<int32_t>(static_cast<uint32_t>(low) + remainder);
    }
  });
}

void fill_uniform_int(const Philox& base, int64_t n, int64_t low, int64_t high, int64_t* out, int threads, Isa isa) {
  if (n <= 0) return;
  check_bounds(low, high);
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  for_each_span(base, n, 2, threads, random_kernels(isa), [&](const uint32_t* words, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t value = words[2 * i] | static_cast<uint64_t>(words[2 * i + 1]) << 32;
      out[first + i] = static_cast<int64_t>(static_cast<uint64_t>(low) + value % range);
    }
  });
}

void random_permutation(const Philox& base, int64_t n, int64_t* permutation) {
  for (int64_t i = 0; i < n; ++i) permutation[i] = i;
  PhiloxWords words(base);
  for (int64_t i = 0; i + 1 < n; ++i) {
    // A 32-bit remainder, as TensorFlow's: rows beyond 2^32 would never be drawn.
    const uint64_t j = static_cast<uint64_t>(i) + words.next() % static_cast<uint64_t>(n - i);
    std::swap(permutation[i], permutation[j]);
  }
}

}  // namespace vf::cpu
