#include "allocation/counter.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VARFLOW_HEAP_IS_TAKEN 1
#else
#define VARFLOW_HEAP_IS_TAKEN 0
#endif

namespace vf::testing {
namespace {

constexpr int kStacks = 4096;
constexpr int kDepth = 24;

struct Stack {
  std::array<void*, kDepth> frames;
  int depth;
};

std::atomic<bool> counting{false};
std::atomic<bool> with_stacks{false};
std::atomic<int64_t> count{0};
std::atomic<int64_t> bytes{0};
std::atomic<int64_t> kept{0};
std::atomic<int> num_stacks{0};
std::array<Stack, kStacks> stacks;
thread_local bool inside = false;  // backtrace() itself may take memory

[[maybe_unused]] void took(void* p, size_t size) {
  if (!counting.load(std::memory_order_relaxed) || !p || inside) return;
  count.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
  kept.fetch_add(static_cast<int64_t>(malloc_usable_size(p)), std::memory_order_relaxed);
  if (!with_stacks.load(std::memory_order_relaxed)) return;
  inside = true;
  if (const int at = num_stacks.fetch_add(1); at < kStacks) {
    Stack& s = stacks[static_cast<size_t>(at)];
    s.depth = backtrace(s.frames.data(), kDepth);
  }
  inside = false;
}

[[maybe_unused]] void gave(void* p) {
  if (counting.load(std::memory_order_relaxed) && p && !inside)
    kept.fetch_sub(static_cast<int64_t>(malloc_usable_size(p)), std::memory_order_relaxed);
}

std::string library_of(void* address) {
  Dl_info info{};
  if (!dladdr(address, &info) || !info.dli_fname) return "?";
  std::string_view name = info.dli_fname;
  return std::string(name.substr(name.rfind('/') + 1));
}

std::string program() { return library_of(reinterpret_cast<void*>(&library_of)); }

// The first library on the stack that is no runtime of the language, above this file's own frames.
std::string taker(const Stack& s) {
  const std::string own = program();
  for (int i = 2; i < s.depth; ++i) {  // took() and the allocation function itself are the first two
    const std::string name = library_of(s.frames[static_cast<size_t>(i)]);
    const bool runtime = name.starts_with("libc.") || name.starts_with("libstdc++") || name.starts_with("libgcc") ||
                         name.starts_with("ld-linux");
    if (!runtime) return name == own ? "" : name;
  }
  return "?";
}

}  // namespace

bool can_count_allocations() { return !VARFLOW_HEAP_IS_TAKEN; }

AllocationCounter::AllocationCounter(bool who) {
  std::array<void*, 2> warm_up;
  backtrace(warm_up.data(), 2);  // loads its library
  count = bytes = kept = 0;
  num_stacks = 0;
  with_stacks = who;
  counting = true;
}

AllocationCounter::~AllocationCounter() { counting = false; }

Allocations AllocationCounter::stop() {
  counting = false;
  Allocations result;
  result.count = count;
  result.bytes = bytes;
  result.kept = kept;
  int shown = 0;
  for (int i = 0; i < std::min(num_stacks.load(), kStacks); ++i) {
    const Stack& s = stacks[static_cast<size_t>(i)];
    const std::string who = taker(s);
    ++result.by_library[who];
    if (!who.empty() || ++shown > 5) continue;
    char** names = backtrace_symbols(s.frames.data(), s.depth);
    for (int f = 1; f < s.depth; ++f) result.places += std::string(names[f]) + "\n";
    result.places += "\n";
    std::free(names);
  }
  return result;
}

}  // namespace vf::testing

#if !VARFLOW_HEAP_IS_TAKEN
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) {
  void* p = __libc_malloc(size);
  vf::testing::took(p, size);
  return p;
}

void* calloc(size_t n, size_t size) {
  void* p = __libc_calloc(n, size);
  vf::testing::took(p, n * size);
  return p;
}

void* realloc(void* old, size_t size) {
  vf::testing::gave(old);
  void* p = __libc_realloc(old, size);
  vf::testing::took(p, size);
  return p;
}

void* memalign(size_t alignment, size_t size) {
  void* p = __libc_memalign(alignment, size);
  vf::testing::took(p, size);
  return p;
}

void* aligned_alloc(size_t alignment, size_t size) {
  void* p = __libc_memalign(alignment, size);
  vf::testing::took(p, size);
  return p;
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  void* p = __libc_memalign(alignment, size);
  vf::testing::took(p, size);
  *result = p;
  return p ? 0 : ENOMEM;
}

void free(void* p) {
  vf::testing::gave(p);
  __libc_free(p);
}
}
#endif
