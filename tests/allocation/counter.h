#pragma once
// Counts what a program takes from the heap, by whom: this test program's malloc and its relatives stand in for
// glibc's.
#include <cstdint>
#include <map>
#include <string>

namespace vf::testing {

// False where a sanitizer has the heap: nothing is counted then.
bool can_count_allocations();

struct Allocations {
  int64_t count = 0;  // calls that took memory
  int64_t bytes = 0;  // that they asked for
  int64_t kept = 0;   // bytes that they took and nobody gave back while it counted, less what was given back of before
  std::map<std::string, int64_t> by_library;  // counts: "" is the program itself with Varflow in it; "libdnnl.so.2"
  std::string places;                         // stacks of the program's own first ones, for messages
};

// Counts on all threads from construction to stop(). One at a time.
class AllocationCounter {
 public:
  // `who` false: counts and bytes only, at nearly no cost.
  explicit AllocationCounter(bool who = true);
  ~AllocationCounter();
  Allocations stop();

 private:
  bool stopped_ = false;
};

}  // namespace vf::testing
