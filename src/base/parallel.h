#pragma once
// The one way to use several threads: OpenMP, because Debian's oneDNN is built on it.
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace vf {

// How many threads a parallel region started here and now will really get, at most `wanted`: 1 inside another
// region, under OMP_THREAD_LIMIT, with dynamic teams, and in a child after fork (libgomp's pool is gone there).
int available_threads(int wanted);

// Calls f(begin, end) on disjoint ranges that cover [0, n), each on one thread; on the caller alone where n is at most
// `grain` or threads is 1. f must not throw. The partition depends on n, grain and threads alone. f(begin, end, part)
// also gets the number of its range, below `threads`: a place of its own in scratch memory. (OpenMP's number of a
// thread is none: inside a host's parallel region it is the host's.)
template <class F>
void parallel_for(int threads, int64_t n, int64_t grain, F&& f) {
  if (n <= 0) return;
  const int64_t wanted = std::min<int64_t>(threads, (n + grain - 1) / std::max<int64_t>(grain, 1));
  const auto call = [&](int64_t begin, int64_t end, int64_t part) {
    if constexpr (std::is_invocable_v<F, int64_t, int64_t, int64_t>)
      f(begin, end, part);
    else
      f(begin, end);
  };
  if (wanted <= 1) {
    call(0, n, 0);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(wanted))
  {
    const int64_t team = omp_get_num_threads();
    const int64_t me = omp_get_thread_num();
    const int64_t begin = n * me / team;
    const int64_t end = n * (me + 1) / team;
    if (begin < end) call(begin, end, me);
  }
}

}  // namespace vf
