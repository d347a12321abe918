#pragma once
// A specialised plan: steps that are ready to run, for one set of shapes.
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "plan/program.h"
#include "varflow/kernel.h"

namespace vf::plan {

constexpr uint32_t kNone = ~uint32_t{0};

// Where the memory of a slot comes from.
enum class Memory : uint8_t {
  Arena,     // `offset` in the run's arena
  Constant,  // constants[index], kept by the segment
  Feed,      // feed number index
  Pin,       // the variable's version that a read step pinned
  Written,   // set for the time of the step that writes the variable
  Owned,     // strings and the like: a tensor of the run's own
  Made,      // a tensor that the step's kernel makes: only the run knows its shape
  Fetch,     // the result number index, given away at the end
  Outer,     // set by an earlier segment of the same run
};

struct Slot {
  Memory memory = Memory::Arena;
  DType dtype = DType::Invalid;
  Shape shape;
  size_t bytes = 0;
  size_t offset = 0;
  uint32_t index = kNone;
  uint32_t representation = kNone;  // of a pin in another layout: its place in Segment::representations
  int first_step = -1;
  int last_step = -1;
  bool escapes = false;  // a later segment needs it
};

struct Write {
  uint32_t variable;
  uint32_t slot;
  Access access;
  Shape shape;  // of the variable afterwards
};

struct Step {
  const Node* node = nullptr;
  std::unique_ptr<Kernel> kernel;  // null: a read of `variable` into the outputs' slots, one for each layout
  uint32_t first_arg = 0;          // in Segment::args: slots of inputs, then of outputs
  uint32_t num_inputs = 0;
  uint32_t num_outputs = 0;
  uint32_t variable = kNone;
  uint32_t first_write = 0;
  uint32_t num_writes = 0;
  uint32_t first_inner_write = 0;  // in Segment::inner_writes
  uint32_t num_inner_writes = 0;
  uint32_t first_release = 0;  // pins that nobody needs after this step
  uint32_t num_releases = 0;
  size_t scratch_offset = 0;
};

// What is known of one output of an item.
struct Known {
  uint32_t slot = kNone;
  Shape shape;
  Tensor constant;  // valid where the value is known when the plan is made
};

// A result: taken from a slot of kind Fetch as it is, or copied from another one when the run ends.
struct Result {
  uint32_t slot = kNone;
  DType dtype = DType::Invalid;
  Shape shape;
};

// What a continuation starts from.
struct Boundary {
  int next_item = 0;
  std::vector<uint32_t> value_slots;      // whose values the next item's shape depends on
  std::vector<uint32_t> shape_slots;      // whose shapes the last step has decided
  std::vector<uint32_t> shape_variables;  // whose shapes the last step may have changed
  std::vector<std::vector<Known>> known;
  std::vector<Shape> variable_shapes;
  std::map<uint32_t, Tensor> feed_values;  // by number of the feed: those that earlier boundaries waited for
};

// A variable's value in another layout than C order, which a read step pins too.
struct Packed {
  uint32_t variable;
  std::shared_ptr<const MemoryLayout> layout;
};

struct Segment {
  int threads = 1;
  std::vector<Step> steps;
  std::vector<uint32_t> args;
  std::vector<Write> writes;
  std::vector<uint32_t> inner_writes;  // variables that the bodies of a step may write while it runs
  std::vector<uint32_t> releases;      // slots of pins
  std::vector<uint32_t> bound_slots;   // those that each run points at its feeds and results
  std::vector<Slot> slots;             // those of earlier segments first, as Outer
  std::vector<Tensor> constants;
  std::vector<Packed> representations;
  size_t arena_bytes = 0;
  size_t num_steps_folded = 0;
  // (variable, shape) that the specialisation rests on.
  std::vector<std::pair<uint32_t, Shape>> variable_shapes;
  std::unique_ptr<Boundary> boundary;        // null: the run ends here
  std::vector<Result> results;               // of the last segment, one for each fetch
  std::vector<Shape> final_variable_shapes;  // of the last segment
};

}  // namespace vf::plan
