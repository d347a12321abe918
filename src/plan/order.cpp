#include "plan/order.h"

#include <algorithm>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "graph/reference.h"
#include "plan/blocks.h"

namespace vf::plan {
namespace {

struct Touch {
  int item;
  bool writes;
};

// Accesses of each variable in the program's order.
std::vector<std::vector<Touch>> touches(const Program& program) {
  std::vector<std::vector<Touch>> result(program.variables.size());
  for (int i = 0; i < static_cast<int>(program.items.size()); ++i) {
    const Item& item = program.items[static_cast<size_t>(i)];
    if (item.read >= 0) result[static_cast<size_t>(item.read)].push_back({i, false});
    for (const VariableAccess& a : item.accesses)
      result[static_cast<size_t>(a.variable)].push_back({i, a.access > Access::Read});
  }
  return result;
}

}  // namespace

std::vector<std::pair<int, int>> order_edges(const Program& program) {
  std::vector<std::pair<int, int>> edges;
  for (const auto& list : touches(program)) {
    int write = -1;
    std::vector<int> reads;  // since that write
    for (const Touch& t : list) {
      if (write >= 0 && write != t.item) edges.emplace_back(write, t.item);
      if (t.writes) {
        for (int r : reads)
          if (r != t.item) edges.emplace_back(r, t.item);
        reads.clear();
        write = t.item;
      } else {
        reads.push_back(t.item);
      }
    }
  }
  return edges;
}

Program shuffled(const Program& program, uint64_t seed, bool rule) {
  const size_t n = program.items.size();
  std::vector<std::vector<int>> next(n);
  std::vector<int> waiting(n, 0);
  const auto edge = [&](int from, int to) {
    next[static_cast<size_t>(from)].push_back(to);
    ++waiting[static_cast<size_t>(to)];
  };
  for (int i = 0; i < static_cast<int>(n); ++i) {
    for (const Source& s : program.items[static_cast<size_t>(i)].inputs)
      if (s.kind == Source::Value) edge(s.at, i);
    for (int a : program.items[static_cast<size_t>(i)].after) edge(a, i);
  }
  if (rule)
    for (const auto& [from, to] : order_edges(program)) edge(from, to);
  std::mt19937_64 random(seed);
  std::vector<int> ready;
  for (int i = 0; i < static_cast<int>(n); ++i)
    if (waiting[static_cast<size_t>(i)] == 0) ready.push_back(i);
  std::vector<int> order;
  while (!ready.empty()) {
    const size_t pick = random() % ready.size();
    const int i = ready[pick];
    ready[pick] = ready.back();
    ready.pop_back();
    order.push_back(i);
    for (int to : next[static_cast<size_t>(i)])
      if (--waiting[static_cast<size_t>(to)] == 0) ready.push_back(to);
  }
  if (order.size() != n) throw Error(Code::Internal, "the order of effects contradicts the edges of the graph");
  Program result = reordered(program, order);
  for (Item& item : result.items) {
    if (!item.block) continue;
    auto block = std::make_shared<Block>(*item.block);
    for (Body& b : block->bodies) b.program = std::make_shared<Program>(shuffled(*b.program, random(), rule));
    item.block = std::move(block);
  }
  return result;
}

Program reordered(const Program& program, const std::vector<int>& order) {
  std::vector<int> position(order.size());
  for (size_t k = 0; k < order.size(); ++k) position[static_cast<size_t>(order[k])] = static_cast<int>(k);
  Program result = program;
  const auto rename = [&](Source& s) {
    if (s.kind == Source::Value) s.at = position[static_cast<size_t>(s.at)];
  };
  for (size_t k = 0; k < order.size(); ++k) {
    Item item = program.items[static_cast<size_t>(order[k])];
    for (Source& s : item.inputs) rename(s);
    for (int& i : item.after) i = position[static_cast<size_t>(i)];
    result.items[k] = std::move(item);
  }
  for (Source& s : result.fetches) rename(s);
  return result;
}

std::vector<Hazard> find_hazards(const Program& program) {
  // Reachability among the touching nodes only: a bit for each, pushed along the edges of the graph in blocks of 64.
  const auto lists = touches(program);
  std::vector<int> touching;
  for (const auto& list : lists) {
    const bool any_write = std::any_of(list.begin(), list.end(), [](const Touch& t) { return t.writes; });
    if (any_write && list.size() > 1)
      for (const Touch& t : list) touching.push_back(t.item);
  }
  std::sort(touching.begin(), touching.end());
  touching.erase(std::unique(touching.begin(), touching.end()), touching.end());
  std::unordered_map<int, size_t> bit;
  for (size_t i = 0; i < touching.size(); ++i) bit[touching[i]] = i;
  // In TensorFlow a read happens when its node runs, so an access stands where its node stands.
  std::unordered_map<const Node*, int> item_of;
  for (int i = 0; i < static_cast<int>(program.items.size()); ++i)
    if (program.items[static_cast<size_t>(i)].read < 0) item_of[program.items[static_cast<size_t>(i)].node] = i;
  const auto stands_at = [&](int item) {
    const auto it = item_of.find(program.items[static_cast<size_t>(item)].node);
    return it == item_of.end() ? item : it->second;
  };
  const size_t n = program.items.size();
  std::vector<Hazard> result;
  struct Pair {
    size_t variable;
    Touch first, second;
  };
  std::vector<std::vector<Pair>> by_block((touching.size() + 63) / 64);
  for (size_t v = 0; v < lists.size(); ++v)
    for (size_t i = 0; i < lists[v].size(); ++i)
      for (size_t j = i + 1; j < lists[v].size(); ++j) {
        const Touch& a = lists[v][i];
        const Touch& b = lists[v][j];
        if (!a.writes && !b.writes) continue;
        if (program.items[static_cast<size_t>(a.item)].node == program.items[static_cast<size_t>(b.item)].node)
          continue;
        by_block[bit[a.item] / 64].push_back({v, a, b});
      }
  for (size_t block = 0; block < by_block.size(); ++block) {
    if (by_block[block].empty()) continue;
    std::vector<uint64_t> reached(n, 0);
    for (size_t i = block * 64; i < std::min(touching.size(), block * 64 + 64); ++i)
      reached[static_cast<size_t>(stands_at(touching[i]))] |= uint64_t{1} << (i % 64);
    for (size_t i = 0; i < n; ++i) {
      const Item& item = program.items[i];
      if (item.read >= 0) continue;
      const auto from = [&](int at) { reached[i] |= reached[static_cast<size_t>(at)]; };
      for (const Output& in : item.node->inputs())
        if (const auto it = item_of.find(in.node); it != item_of.end()) from(it->second);
      for (int a : item.after) from(a);
    }
    for (const Pair& p : by_block[block]) {
      const auto to = static_cast<size_t>(stands_at(p.second.item));
      if (reached[to] >> (bit[p.first.item] % 64) & 1) continue;
      result.push_back({program.variables[p.variable], program.items[static_cast<size_t>(p.first.item)].node,
                        program.items[static_cast<size_t>(p.second.item)].node, p.first.writes, p.second.writes});
    }
  }
  for (const Item& item : program.items)
    if (item.block)
      for (const Body& body : item.block->bodies) {
        const std::vector<Hazard> inside = find_hazards(*body.program);
        result.insert(result.end(), inside.begin(), inside.end());
      }
  return result;
}

}  // namespace vf::plan
