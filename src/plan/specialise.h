#pragma once
#include <memory>
#include <span>
#include <vector>

#include "plan/segment.h"

namespace vf::plan {

// The session's facts that a specialisation depends on.
class BlockMaker;

struct Conditions {
  std::vector<Shape> feed_shapes;
  std::vector<Shape> variable_shapes;  // of the stored value, or the declared one; may be partly unknown
  KernelOptions options;
  bool fuse = true;              // several nodes may become one step
  bool representations = false;  // reads may pin a variable's value in the layouts that kernels prefer
  Resources* resources = nullptr;
  const BlockMaker* blocks = nullptr;  // needed where the program has one
  // Only the program's first so many items, -1: all. What later ones and the fetches need is then kept for a
  // continuation, and there are no results; feeds of later items may have any shape.
  int items = -1;
};

// Infers shapes, folds what is known, makes kernels, places values in memory; up to the first item whose shape depends
// on what only the run knows. Cost is linear in the items. Throws what shape rules and kernels throw, and
// Unimplemented where an op has no kernel for its dtype.
std::unique_ptr<Segment> specialise(const Program& program, const Conditions& conditions);

// The continuation of `outer`, where its boundary's value slots have these values, its shape slots these shapes.
std::unique_ptr<Segment> specialise_next(const Program& program, const Conditions& conditions, const Segment& outer,
                                         std::span<const Tensor> values, std::span<const Shape> shapes);

}  // namespace vf::plan
