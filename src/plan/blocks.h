#pragma once
// If and While: items that run other programs. For order, an item with bodies is one access to each variable that they
// touch.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "plan/program.h"
#include "varflow/kernel.h"

namespace vf::plan {

// A function as one item runs it. Its program names the variables behind the item's handles, not the handles.
struct Body {
  std::shared_ptr<const Program> program;
  std::vector<int> variables;  // the number, in the program around it, of each of its variables
};

// Handles are no values: they are bound when the program is made, and neither fed nor fetched.
struct Block {
  bool loop = false;
  std::vector<Body> bodies;  // of a branch: where true, where false; of a loop: condition, body
  std::vector<int> values;   // the item's inputs that feed the bodies, in the order of their feeds
  // In the order of the fetches of a branch's bodies, or of a loop's: the item's outputs that they give. An output that
  // a loop's body hands on unchanged is not among them.
  std::vector<int> outputs;
  bool stateful = false;  // runs even where nobody needs its outputs

  bool gives(int output) const { return std::binary_search(outputs.begin(), outputs.end(), output); }
};

// The programs of one plan's bodies: a function that is called twice with the same variables is planned once.
class BodyCache {
 public:
  // Function, variables behind its arguments, numbers of the results that are needed.
  using Key = std::tuple<std::string, std::vector<const Node*>, std::vector<int>>;
  std::map<Key, std::shared_ptr<const Program>> programs;
  std::set<std::string> open;  // functions that are being planned: one that comes again calls itself
};

// The block of a node whose op has one; `bound(handle)` is the variable behind an input, and `number(variable)` its
// number in the program around. Adds what the bodies do to `accesses`. Errors name the node: a missing function,
// arguments or results that do not fit.
std::shared_ptr<const Block> make_block(const Node& node, const std::function<const Node*(const Output&)>& bound,
                                        const std::function<int(const Node*)>& number, BodyCache& cache,
                                        std::vector<VariableAccess>& accesses);

// Makes the steps of blocks. The runtime implements it, since bodies are plans of their own.
class BlockMaker {
 public:
  virtual ~BlockMaker() = default;
  struct Made {
    std::unique_ptr<Kernel> kernel;
    std::vector<Shape> outputs;  // unknown where only the run knows
  };
  // `variable_shapes`, of the program around, become those after the block; unknown where only the run knows.
  virtual Made make(const Item& item, std::span<const Shape> inputs, int threads,
                    std::vector<Shape>& variable_shapes) const = 0;
};

}  // namespace vf::plan
