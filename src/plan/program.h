#pragma once
// A signature's part of the graph, in order: what is left after pruning, with each read of a variable spelled out.
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "varflow/graph.h"
#include "varflow/op.h"

namespace vf::plan {

struct Block;  // blocks.h
class BodyCache;

// What a run is asked for. Feeds replace the outputs that they name.
struct Signature {
  std::vector<Output> fetches;
  std::vector<Output> feeds;
  std::vector<Node*> targets;
  // In the body of a function: the variable behind each argument of dtype resource.
  std::map<const Node*, const Node*> handles = {};
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
  int input;  // of the node; -1: inside the node's bodies, at any time of its run
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
  std::vector<VariableAccess> accesses;  // writes and peeks; of a block, all that its bodies do
  std::vector<int> after;                // items before this one by a control edge, or by a reference handed on
  std::shared_ptr<const Block> block;    // of a node that runs bodies
};

struct Program {
  std::vector<Item> items;  // in the order that the graph defines
  std::vector<const Node*> variables;
  std::vector<Source> fetches;
  std::vector<DType> feed_types;
};

// Cost is linear in the nodes that the signature reaches. Throws InvalidArgument for a fetch that is fed under another
// dtype and the like. `bodies` are those of the program around it; null where there is none.
Program make_program(const Signature& signature, BodyCache* bodies = nullptr);

}  // namespace vf::plan
