// What left a session never changes, and what came in is never written: over programs that tempt an engine to hand out
// or take over memory that somebody else still has.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <utility>

#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

constexpr int64_t kLong = 20000;  // floats: more than a plan computes ahead

bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

void scribble(Tensor& t) {
  if (t.valid()) std::memset(t.raw(), 0x5A, t.bytes());
}

// Numbers 1, 2, 3, ... at an address that is no multiple of 64, as a caller's arrays are.
Tensor counting(const Shape& shape, float start) {
  const auto n = static_cast<size_t>(shape.num_elements());
  auto memory = std::make_shared<std::vector<float>>(n + 32);
  float* at = memory->data();
  while (reinterpret_cast<uintptr_t>(at) % 64 == 0) ++at;
  for (size_t i = 0; i < n; ++i) at[i] = start + static_cast<float>(i);
  return Tensor::external(DType::Float, shape, at, [memory] {});
}

// What programs are made of: a variable of each kind, constants, feeds; and a session with the variables initialized.
struct World {
  Graph graph;
  Variable v = variable(graph, counting({2, 3}, 10), {.name = "v", .use_resource = false});
  Variable r = variable(graph, counting({2, 3}, 20), {.name = "r", .use_resource = true});
  Variable w = variable(graph, counting({kLong}, 1), {.name = "w", .use_resource = false});
  Output c = make(graph, "Const", {}, {{"dtype", DType::Float}, {"value", counting({2, 3}, 30)}});
  Output d = make(graph, "Const", {}, {{"dtype", DType::Float}, {"value", counting({kLong}, 40)}});
  Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{2, 3}}});
  Output y = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{kLong}}});
  Session session{graph};

  World() { session.run({v.initializer(), r.initializer(), w.initializer()}); }
  Output flat(const Operand& o) { return make(graph, "Reshape", {o, {-1}}); }
  Output op(const std::string& name, const Operand& o) { return make(graph, name, {o}); }
};

struct Program {
  const char* name;
  std::function<Fetches(World&)> build;
};

const std::vector<Program>& programs() {
  static const std::vector<Program> list{
      {"variable",
       [](World& w) {
         return Fetches{w.v, w.r, w.w};
       }},
      {"read",
       [](World& w) {
         return Fetches{w.v.value(), w.r.value(), w.w.value()};
       }},
      {"identity",
       [](World& w) {
         return Fetches{w.op("Identity", w.v.ref()), w.op("Identity", w.r.value())};
       }},
      {"aliases of variables",
       [](World& w) {
         return Fetches{w.flat(w.v), w.flat(w.r), w.op("Snapshot", w.v), w.op("StopGradient", w.r),
                        w.flat(w.flat(w.w))};
       }},
      {"constant",
       [](World& w) {
         return Fetches{w.c, w.d, w.op("Identity", w.c), w.flat(w.d)};
       }},
      {"known value",
       [](World& w) {
         return Fetches{w.c + 1.0F, w.flat(w.c * 2.0F), w.op("Neg", w.flat(w.c))};
       }},
      {"feed",
       [](World& w) {
         return Fetches{w.x, w.y};
       }},
      {"aliases of feeds",
       [](World& w) {
         return Fetches{w.op("Identity", w.x), w.flat(w.x), w.flat(w.op("StopGradient", w.y)),
                        make("ExpandDims", {w.x, 0}), w.op("Snapshot", w.y)};
       }},
      {"work in place of feeds",
       [](World& w) {
         return Fetches{w.op("Neg", w.x), w.op("Relu", w.flat(w.x)), w.op("Square", w.op("Identity", w.y)),
                        w.op("Exp", w.op("Neg", w.flat(w.x)))};
       }},
      {"work in place of variables",
       [](World& w) {
         return Fetches{w.op("Neg", w.v), w.op("Neg", w.flat(w.r)), w.op("Relu", w.op("Identity", w.w)), w.v + w.v};
       }},
      {"work in place of constants",
       [](World& w) {
         return Fetches{w.op("Neg", w.d), w.op("Square", w.flat(w.d)), w.d + w.d};
       }},
      {"twice",
       [](World& w) {
         const Output n = w.op("Neg", w.y);
         return Fetches{n, n, w.v, w.v, w.x, w.x, w.c, w.c};
       }},
      {"result and its alias",
       [](World& w) {
         const Output n = w.op("Neg", w.y);
         return Fetches{n, w.op("Identity", n), w.flat(n), make("ExpandDims", {n, 0})};
       }},
      {"alias of a result alone", [](World& w) { return Fetches{w.flat(w.op("Neg", w.x))}; }},
      {"result and what follows in place",
       [](World& w) {
         const Output n = w.op("Neg", w.y);
         const Output s = w.op("Square", n);
         return Fetches{w.op("Sqrt", w.flat(s)), n, s};
       }},
      {"assigns",
       [](World& w) {
         return Fetches{assign(w.v, w.v * 0.5F), assign_add(w.r, w.x), assign(w.w, w.y)};
       }},
      {"assign of a feed",
       [](World& w) {
         return Fetches{assign(w.v, w.x), assign(w.r, w.x), w.v, w.x};
       }},
      {"assign of a constant",
       [](World& w) {
         return Fetches{assign(w.v, w.c), assign(w.r, w.op("Identity", w.c)), assign(w.w, w.d), w.c};
       }},
      {"assign of another variable",
       [](World& w) {
         const Output first = assign(w.v, w.r);
         const Output second = assign(w.r, w.op("Identity", w.v.ref()) + 1.0F);
         return Fetches{first, second, w.v, assign_add(w.v, w.v)};
       }},
      {"read, then write",
       [](World& w) {
         const Output before = w.r.value();
         const ControlDependencies after(w.graph, {before});
         return Fetches{before, w.flat(before), assign_add(w.r, w.x), w.op("Neg", before)};
       }},
      {"many outputs", [](World& w) {
         Node* n = NodeBuilder(w.graph, "IdentityN").inputs({w.x, w.v.value(), w.c}).build();
         return Fetches{Output(n, 0), Output(n, 1), Output(n, 2)};
       }}};
  return list;
}

Feeds feeds(const World& w, float start) { return {{w.x, counting({2, 3}, start)}, {w.y, counting({kLong}, start)}}; }

// Two sessions run the same program; one caller writes into all that it fed and got. Nobody can tell.
TEST(Aliasing, NobodyNoticesACallerThatWritesIntoItsArrays) {
  for (const Program& program : programs()) {
    SCOPED_TRACE(program.name);
    World calm;
    World wild;
    const Fetches calm_fetches = program.build(calm);
    const Fetches wild_fetches = program.build(wild);
    Tensor initial = counting({2, 3}, 70);
    calm.session.set({{calm.v.ref(), initial.clone()}});
    wild.session.set({{wild.v.ref(), initial}});
    scribble(initial);
    for (int round = 0; round < 3; ++round) {
      const auto start = static_cast<float>(100 * round);
      const Feeds calm_feeds = feeds(calm, start);
      Feeds wild_feeds = feeds(wild, start);
      const std::vector<Tensor> expected = calm.session.run(calm_fetches, calm_feeds);
      std::vector<Tensor> results = wild.session.run(wild_fetches, wild_feeds);
      for (size_t i = 0; i < wild_feeds.size(); ++i) EXPECT_TRUE(same(wild_feeds[i].second, calm_feeds[i].second)) << i;
      for (auto& [output, value] : wild_feeds) scribble(value);
      for (size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(same(results[i], expected[i])) << "round " << round << ", fetch " << i;
        scribble(results[i]);  // those that follow must not be the same memory
      }
      for (auto [a, b] : {std::pair{calm.v, wild.v}, {calm.r, wild.r}, {calm.w, wild.w}}) {
        Tensor value = wild.session.get(b.ref());
        EXPECT_TRUE(same(calm.session.get(a.ref()), value)) << "round " << round << ", variable " << a.name();
        scribble(value);
        EXPECT_TRUE(same(calm.session.get(a.ref()), wild.session.get(b.ref())));
      }
      EXPECT_TRUE(same(wild.c.node->attr<Tensor>("value"), calm.c.node->attr<Tensor>("value")));
      EXPECT_TRUE(same(wild.d.node->attr<Tensor>("value"), calm.d.node->attr<Tensor>("value")));
    }
  }
}

// Whatever is assigned, set or run afterwards.
TEST(Aliasing, FetchedValuesStay) {
  for (const Program& program : programs()) {
    SCOPED_TRACE(program.name);
    World w;
    const Fetches fetches = program.build(w);
    const Node* rewrite = group(
        w.graph, {assign(w.v, 0.0F * w.v - 1.0F).node, assign_sub(w.r, w.r * 2.0F).node, assign_add(w.w, w.w).node});
    const std::vector<Tensor> first = w.session.run(fetches, feeds(w, 1));
    const std::vector<Tensor> viewed = {w.session.view(w.v.ref()), w.session.view(w.r.ref()),
                                        w.session.view(w.w.ref())};
    std::vector<Tensor> held;
    std::vector<Tensor> copies;
    for (const auto* list : {&first, &viewed})
      for (const Tensor& t : *list) {
        held.push_back(t);
        copies.push_back(t.clone());
      }
    for (int round = 0; round < 2; ++round) {
      w.session.run(const_cast<Node*>(rewrite));
      w.session.run(fetches, feeds(w, 500));
      w.session.set({{w.v.ref(), counting({2, 3}, 900)}, {w.r.ref(), counting({2, 3}, 901)}});
      w.session.run({w.v.initializer(), w.r.initializer(), w.w.initializer()});
    }
    for (size_t i = 0; i < held.size(); ++i) EXPECT_TRUE(same(held[i], copies[i])) << i;
  }
}

// A tensor that a node was made from is still its maker's.
TEST(Aliasing, ConstantsAreCopies) {
  Graph graph;
  Tensor value = counting({3}, 1);
  const Output constant = make(graph, "Const", {}, {{"dtype", DType::Float}, {"value", value}});
  const Output sum = make("AddV2", {constant, Operand(value)});
  const Variable v = variable(graph, value);
  scribble(value);
  Session session(graph);
  session.run(v.initializer());
  EXPECT_EQ(session.run(constant).values<float>()[2], 3);
  EXPECT_EQ(session.run(sum).values<float>()[2], 6);
  EXPECT_EQ(session.run(v).values<float>()[2], 3);
}

struct Write {
  const char* name;
  std::function<Node*(World&)> build;
  std::function<Variable(World&)> variable;
};

const std::vector<Write>& writes() {
  const auto v = [](World& w) { return w.v; };
  const auto r = [](World& w) { return w.r; };
  static const std::vector<Write> list{
      {"assign of a reference", [](World& w) { return assign(w.v, w.c).node; }, v},
      {"assign of a resource", [](World& w) { return assign(w.r, w.c).node; }, r},
      {"assign of its own product", [](World& w) { return assign(w.v, w.v * 0.9F).node; }, v},
      {"assign of its own product, a resource", [](World& w) { return assign(w.r, w.r * 0.9F).node; }, r},
      {"assign_add", [](World& w) { return assign_add(w.v, w.c).node; }, v},
      {"assign_sub of a resource", [](World& w) { return assign_sub(w.r, w.c).node; }, r},
      {"assign_sub of a draw",
       [](World& w) {
         return assign_sub(w.v, make(w.graph, "RandomStandardNormal", {{2, 3}},
                                     {{"dtype", DType::Float}, {"seed", int64_t{7}}}))
             .node;
       },
       v},
      {"ApplyGradientDescent",
       [](World& w) {
         return make("ApplyGradientDescent", {w.v.ref(), 0.1F, w.c}).node;
       },
       v},
      {"ResourceApplyGradientDescent",
       [](World& w) {
         return NodeBuilder("ResourceApplyGradientDescent").input(w.r.ref()).input(0.1F).input(w.c).build();
       },
       r},
      {"ScatterAdd",
       [](World& w) {
         return make("ScatterAdd", {w.v.ref(), Tensor::vector<int32_t>({1}), Tensor::of<float>({1, 3}, {1, 2, 3})})
             .node;
       },
       v},
  };
  return list;
}

TEST(Aliasing, AVariableThatNobodyHoldsIsUpdatedInPlace) {
  for (const Write& write : writes()) {
    SCOPED_TRACE(write.name);
    World w;
    const Output variable = write.variable(w).ref();
    Node* node = write.build(w);
    w.session.run(node);
    const void* address = w.session.view(variable).raw();
    const Tensor before = w.session.run(Fetch(write.variable(w)));  // a copy: it holds nothing
    for (int round = 0; round < 3; ++round) {
      w.session.run(node);
      EXPECT_EQ(w.session.view(variable).raw(), address);
    }
    EXPECT_NE(before.raw(), address);
  }
}

TEST(Aliasing, AVariableThatSomebodyHoldsIsCopied) {
  for (const Write& write : writes()) {
    SCOPED_TRACE(write.name);
    World w;
    const Output variable = write.variable(w).ref();
    Node* node = write.build(w);
    const Tensor held = w.session.view(variable);
    const Tensor copy = held.clone();
    w.session.run(node);
    EXPECT_NE(w.session.view(variable).raw(), held.raw());
    EXPECT_TRUE(same(held, copy));
    EXPECT_FALSE(same(w.session.view(variable), copy));
    const void* address = w.session.view(variable).raw();  // of the session's own again
    w.session.run(node);
    EXPECT_EQ(w.session.view(variable).raw(), address);
  }
}

}  // namespace
}  // namespace vf
