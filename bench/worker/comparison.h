#pragma once
// Whether two programs computed the same.
#include <string>
#include <vector>

#include "worker/work.h"

namespace vf::bench {

struct Distance {
  std::string name;
  double distance;  // infinity where an array is missing, of another shape, or not finite
};

// For each array of either answer: |ours - theirs| / |theirs - start|, norms of all elements, start being zero where
// there is no such name in it. So the weights of a trained model are compared by what training changed. With `only`,
// these names alone. Largest first.
std::vector<Distance> compare(const Arrays& start, const Arrays& ours, const Arrays& theirs,
                              const std::vector<std::string>& only = {});

// Arrays as NAME.npy in a folder, "/" in a name as "." in the file's.
void write_arrays(const std::string& folder, const Arrays& arrays);
Arrays read_arrays(const std::string& folder);

}  // namespace vf::bench
