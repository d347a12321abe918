#include "base/parallel.h"

#include <pthread.h>

#include <atomic>

namespace vf {
namespace {

std::atomic<bool> forked{false};

bool watch_forks() {
  pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
  return true;
}

}  // namespace

int available_threads(int wanted) {
  static const bool watching = watch_forks();
  static_cast<void>(watching);
  if (wanted <= 1) return 1;
  if (forked.load(std::memory_order_relaxed) || omp_in_parallel() || omp_get_dynamic()) return 1;
  return std::min(wanted, omp_get_thread_limit());
}

}  // namespace vf
