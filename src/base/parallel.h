#pragma once
// The one way to use several threads: OpenMP, because Debian's oneDNN is built on it.
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace vf {

// How many threads a parallel region started here and now will really get, at most `wanted`: 1 inside another
// region, under OMP_THREAD_LIMIT, with dynamic teams, and in a child after fork (libgomp's pool is gone there).
int available_threads(int wanted);

// Calls f(begin, end) on disjoint ranges that cover [0, n); on the caller alone where n is at most `grain` or
// threads is 1. f must not throw. The partition depends on n, grain and threads alone.
template <class F>
void parallel_for(int threads, int64_t n, int64_t grain, F&& f) {
  if (n <= 0) return;
  const int64_t wanted = std::min<int64_t>(threads, (n + grain - 1) / std::max<int64_t>(grain, 1));
  if (wanted <= 1) {
    f(int64_t{0}, n);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(wanted))
  {
    const int64_t team = omp_get_num_threads();
    const int64_t me = omp_get_thread_num();
    const int64_t begin = n * me / team;
    const int64_t end = n * (me + 1) / team;
    if (begin < end) f(begin, end);
  }
}

}  // namespace vf
