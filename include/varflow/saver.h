#pragma once
#include <string>
#include <vector>

#include "varflow/checkpoint.h"
#include "varflow/export.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {

struct SaverOptions {
  std::vector<Variable> var_list = {};  // default: all variables of the graph
  int max_to_keep = 5;
  // Also saves what is no variable (counters of random ops), in PREFIX.resources, and restores it where that file is:
  // a run that goes on then draws the numbers that it would have drawn.
  bool resources = false;
};

// Saves and restores a session's variables as TensorFlow V2 checkpoints, under the variables' names. One thread at a
// time.
class VF_API Saver {
 public:
  // InvalidArgument where there are no variables or two of one name.
  explicit Saver(Graph& graph, SaverOptions options = {});
  // Writes PATH, or PATH-STEP where a step is given, and the folder's `checkpoint` file; older ones beyond max_to_keep
  // go. Returns the prefix that restore takes. FailedPrecondition where a variable is uninitialized.
  std::string save(Session& session, const std::string& path, int64_t global_step = -1);
  // All or nothing: a checkpoint that lacks a variable, or has another shape or dtype, changes none.
  void restore(Session& session, const std::string& path) const;

 private:
  std::vector<Variable> variables_;
  bool resources_;
  CheckpointHistory history_;
};

}  // namespace vf
