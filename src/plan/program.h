#pragma once
// A signature's part of the graph, in order: what is left after pruning, with each read of a variable spelled out.
#include <cstdint>
#include <vector>

#include "varflow/graph.h"
#include "varflow/op.h"

namespace vf::plan {

// What a run is asked for. Feeds replace the outputs that they name.
struct Signature {
  std::vector<Output> fetches;
  std::vector<Output> feeds;
  std::vector<Node*> targets;
};

// Where an input of an item comes from.
struct Source {
  enum Kind : uint8_t {
    Value,     // output `index` of item `at`; of a read item: the variable's value
    Feed,      // feed number `at`
    Variable,  // the variable number `at` itself: written, asked about, or only passed on
  };
  Kind kind = Value;
  int at = 0;
  int index = 0;
};

struct VariableAccess {
  int input;  // of the node
  int variable;
  Access access;
};

// A node to run, or a read of a variable.
struct Item {
  const Node* node = nullptr;  // of a read: the node that reads
  int read = -1;               // the variable that is read; -1: the node itself
  bool passive = false;        // hands a reference on to consumers that read for themselves: nothing to do
  bool target = false;         // asked for by name: runs even where nobody needs its outputs
  std::vector<Source> inputs;
  std::vector<VariableAccess> accesses;  // writes and peeks
  std::vector<int> after;                // items before this one by a control edge, or by a reference handed on
};

struct Program {
  std::vector<Item> items;  // in the order that the graph defines
  std::vector<const Node*> variables;
  std::vector<Source> fetches;
};

// Cost is linear in the nodes that the signature reaches. Throws InvalidArgument for a fetch that is fed under another
// dtype and the like.
Program make_program(const Signature& signature);

}  // namespace vf::plan
