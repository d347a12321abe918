#include "plan/program.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

#include "graph/reference.h"
#include "plan/blocks.h"

namespace vf::plan {
namespace {

// Orders items: position of the node in the graph's order, reads before the node itself.
using Position = std::pair<int, int>;
constexpr int kEnd = std::numeric_limits<int>::max();

class Builder {
 public:
  Builder(const Signature& s, BodyCache* bodies) : signature_(s), bodies_(bodies ? *bodies : own_bodies_) {
    for (size_t i = 0; i < s.feeds.size(); ++i) {
      feeds_[key(s.feeds[i])] = static_cast<int>(i);
      program_.feed_types.push_back(s.feeds[i].dtype());
    }
  }

  Program build() {
    reach();
    std::sort(nodes_.begin(), nodes_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [order, node] : nodes_) plan_reads(*node, order);
    for (size_t i = 0; i < signature_.fetches.size(); ++i) plan_fetch(static_cast<int>(i));
    emit();
    return std::move(program_);
  }

 private:
  static std::pair<const Node*, int> key(const Output& o) { return {o.node, o.index}; }
  bool fed(const Output& o) const { return feeds_.count(key(o)) != 0; }

  // The nodes that fetches and targets need, stopping at feeds.
  void reach() {
    std::vector<const Node*> stack;
    const auto visit = [&](const Node* n) {
      if (seen_.emplace(n, 0).second) stack.push_back(n);
    };
    for (const Output& f : signature_.fetches)
      if (!fed(f)) visit(f.node);
    for (const Node* t : signature_.targets) visit(t);
    while (!stack.empty()) {
      const Node* n = stack.back();
      stack.pop_back();
      nodes_.emplace_back(n->graph().order(n), n);
      for (const Output& in : n->inputs())
        if (!fed(in)) visit(in.node);
      for (Node* c : n->control_inputs())  // what is fed in a placeholder's place has no node to wait for
        if (!(c->op().placeholder && fed({c, 0}))) visit(c);
    }
  }

  // The node that owns the variable behind a handle or reference: in a body, the caller's.
  const Node* owner(const Output& handle) const {
    const Node* v = variable_of(handle);
    const auto it = signature_.handles.find(v);
    return it == signature_.handles.end() ? v : it->second;
  }

  int variable(const Node* node) {
    const DType* dtype = node->attr_value("dtype").get<DType>();
    if (!dtype || *dtype == DType::Resource)
      throw Error(Code::InvalidArgument, node->type(), node->name(), "is a handle that is bound to no variable");
    const auto [it, fresh] = variable_index_.try_emplace(node, static_cast<int>(program_.variables.size()));
    if (fresh) program_.variables.push_back(node);
    return it->second;
  }

  // A read of `variable_node` by `reader` at `order`; one for each pair of reader and variable.
  int read(const Node* variable_node, const Node* reader, int order) {
    const auto [it, fresh] = reads_.try_emplace({reader, variable_node}, static_cast<int>(entries_.size()));
    if (fresh) {
      Item item;
      item.node = reader;
      item.read = variable(variable_node);
      for (const Output& in : reader->inputs())
        if (live_variable(in) == variable_node || in.dtype() == DType::Resource) wait_for(item, in);
      entries_.emplace_back(Position{order, 0}, std::move(item));
    }
    return it->second;
  }

  // live_variable(), but nullptr where a feed takes the variable's place on the way.
  const Node* live(const Output& in) const {
    for (Output o = in; !fed(o); o = o.node->input(0)) {
      if (o.is_ref()) return variable_of(o);
      if (!o.node->op().passes_reference || o.dtype() == DType::Resource) return nullptr;
    }
    return nullptr;
  }

  // Keeps the edge of an input that is not taken as a value: the node that hands the reference on runs before.
  void wait_for(Item& item, const Output& in) const {
    if (const auto it = node_entry_.find(in.node); it != node_entry_.end()) item.after.push_back(it->second);
  }

  // The node whose read a gradient node shares: the forward node that its mark names, through marks of marks.
  static const Node* reader_of(const Node& node, const Node* variable_node) {
    const Node* reader = &node;
    for (int depth = 0; depth < 64; ++depth) {
      const std::string* forward =
          reader->attrs().find("_forward") ? reader->attrs().find("_forward")->get<std::string>() : nullptr;
      const Node* next = forward ? reader->graph().find(*forward) : nullptr;
      if (!next) break;
      const bool reads_it = std::any_of(next->inputs().begin(), next->inputs().end(),
                                        [&](const Output& in) { return live_variable(in) == variable_node; });
      if (!reads_it) break;
      reader = next;
    }
    return reader;
  }

  void plan_reads(const Node& node, int order) {
    Item item;
    item.node = &node;
    item.target = std::find(signature_.targets.begin(), signature_.targets.end(), &node) != signature_.targets.end();
    if (node.op().passes_reference && !item.target && live(node.input(0)) && !fetched(node)) {
      item.passive = true;
      wait_for(item, node.input(0));
      node_entry_[&node] = static_cast<int>(entries_.size());
      entries_.emplace_back(Position{order, 1}, std::move(item));
      return;
    }
    if (node.op().block != BlockKind::None)
      item.block = make_block(
          node, [this](const Output& handle) { return owner(handle); }, [this](const Node* v) { return variable(v); },
          bodies_, item.accesses);
    // A source of kind Value, and `after`, names an entry until emit() turns it into the position of an item.
    for (int i = 0; i < static_cast<int>(node.inputs().size()); ++i) {
      const Output& in = node.input(i);
      Source s;
      if (const auto feed = feeds_.find(key(in)); feed != feeds_.end()) {
        s = {Source::Feed, feed->second, 0};
      } else if (const Access access = access_of(node, i); access != Access::None) {
        const Node* v = owner(in);
        if (!v)
          throw Error(Code::InvalidArgument, node.type(), node.name(),
                      "needs a variable as input " + std::to_string(i) + "; " + in.name() + " is none");
        if (access == Access::Read) {
          s = {Source::Value, read(v, &node, order), 0};
        } else {
          wait_for(item, in);
          s = {Source::Variable, variable(v), 0};
          item.accesses.push_back({i, s.at, access});
        }
      } else if (const Node* shown = live(in)) {
        const Node* reader = reader_of(node, shown);
        const int at = reader == &node ? order : node.graph().order(reader);
        s = {Source::Value, read(shown, reader, at), 0};
      } else if (const Node* handle = owner(in)) {
        if (item.block) wait_for(item, in);
        s = {Source::Variable, variable(handle), 0};
      } else {
        s = {Source::Value, producer(in), in.index};
      }
      item.inputs.push_back(s);
    }
    node_entry_[&node] = static_cast<int>(entries_.size());
    entries_.emplace_back(Position{order, 1}, std::move(item));
  }

  bool fetched(const Node& node) const {
    return std::any_of(signature_.fetches.begin(), signature_.fetches.end(),
                       [&](const Output& f) { return f.node == &node; });
  }

  int producer(const Output& in) const { return node_entry_.at(in.node); }

  void plan_fetch(int i) {
    const Output& f = signature_.fetches[static_cast<size_t>(i)];
    if (const auto feed = feeds_.find(key(f)); feed != feeds_.end()) {
      program_.fetches.push_back({Source::Feed, feed->second, 0});
    } else if (f.is_ref()) {  // taken after all writes of the run
      const Node* v = variable_of(f);
      const auto [it, fresh] = fetch_reads_.try_emplace(v, static_cast<int>(entries_.size()));
      if (fresh) {
        Item item;
        item.node = f.node;
        item.read = variable(v);
        entries_.emplace_back(Position{kEnd, 0}, std::move(item));
      }
      program_.fetches.push_back({Source::Value, it->second, 0});
    } else if (f.dtype() == DType::Resource) {
      throw Error(Code::InvalidArgument, f.node->type(), f.node->name(),
                  "a resource cannot be fetched; read the variable's value");
    } else {
      program_.fetches.push_back({Source::Value, node_entry_.at(f.node), f.index});
    }
  }

  void emit() {
    std::vector<int> by_position(entries_.size());
    for (size_t i = 0; i < by_position.size(); ++i) by_position[i] = static_cast<int>(i);
    std::stable_sort(by_position.begin(), by_position.end(), [&](int a, int b) {
      return entries_[static_cast<size_t>(a)].first < entries_[static_cast<size_t>(b)].first;
    });
    std::vector<int> item_of(entries_.size());
    for (size_t i = 0; i < by_position.size(); ++i) item_of[static_cast<size_t>(by_position[i])] = static_cast<int>(i);
    const auto rename = [&](Source& s) {
      if (s.kind == Source::Value) s.at = item_of[static_cast<size_t>(s.at)];
    };
    for (int entry : by_position) {
      Item item = std::move(entries_[static_cast<size_t>(entry)].second);
      for (Source& s : item.inputs) rename(s);
      for (int& a : item.after) a = item_of[static_cast<size_t>(a)];
      // A node's reads wait for what the node waits for; so do its own control inputs.
      for (const Node* c : item.node->control_inputs())
        if (const auto it = node_entry_.find(c); it != node_entry_.end())
          item.after.push_back(item_of[static_cast<size_t>(it->second)]);
      program_.items.push_back(std::move(item));
    }
    for (Source& s : program_.fetches) rename(s);
  }

  const Signature& signature_;
  BodyCache own_bodies_;
  BodyCache& bodies_;
  Program program_;
  std::map<std::pair<const Node*, int>, int> feeds_;
  std::unordered_map<const Node*, char> seen_;
  std::vector<std::pair<int, const Node*>> nodes_;
  std::vector<std::pair<Position, Item>> entries_;
  std::unordered_map<const Node*, int> node_entry_;
  std::unordered_map<const Node*, int> variable_index_;
  std::map<std::pair<const Node*, const Node*>, int> reads_;  // (reader, variable)
  std::map<const Node*, int> fetch_reads_;
};

}  // namespace

Program make_program(const Signature& signature, BodyCache* bodies) { return Builder(signature, bodies).build(); }

}  // namespace vf::plan
