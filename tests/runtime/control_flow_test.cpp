// Blocks under way: cancelled, on many threads, observed, refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "plan/control_flow_programs.h"
#include "varflow/gradients.h"
#include "varflow/session.h"

namespace vf {
namespace {

using namespace control_flow;  // NOLINT: the words of the programs

// While(true): v += 1 on a thousand elements.
Node* endless(Graph& graph, const Output& v) {
  const Function& cond = graph.add_function("always", {{DType::Resource}}, [](Graph& g, const Outputs&) -> Outputs {
    return {constant_of(g, Tensor(true))};
  });
  const Function& body = graph.add_function("count", {{DType::Resource}}, [](Graph& g, const Outputs& a) -> Outputs {
    add(a[0], make(g, "Fill", {Tensor::vector<int32_t>({1000}), 1.0F}));
    return {a[0]};
  });
  return while_op({v}, cond, body, "forever")[0].node;
}

void expect_whole_turns(Session& session, const Output& v) {
  const Tensor after = session.get(v);
  EXPECT_GT(after.values<float>()[0], 0);
  EXPECT_THAT(after.values<float>(), ::testing::Each(after.values<float>()[0]));
}

TEST(ControlFlow, CancelStopsAnEndlessLoop) {
  Graph g;
  const Output v = handle(g, "v", Shape{1000});
  Node* const forever = endless(g, v);
  Session session(g, {.threads = 1});
  session.set({{v, Tensor::zeros(DType::Float, Shape{1000})}});
  Cancellation cancellation;
  std::thread other([&] {
    while (session.get(v).values<float>()[0] < 10) std::this_thread::yield();
    cancellation.cancel();
  });
  try {
    session.run({Fetch(forever)}, {}, cancellation);
    ADD_FAILURE() << "it ended";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::Cancelled);
  }
  other.join();
  expect_whole_turns(session, v);
}

// A loop without effects, whose bodies have no steps at all.
TEST(ControlFlow, ADeadlineStopsAnEmptyLoop) {
  Graph g;
  const Function& cond = g.add_function(
      "always", {{DType::Float}}, [](Graph& b, const Outputs&) -> Outputs { return {constant_of(b, Tensor(true))}; });
  const Function& body =
      g.add_function("same", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs { return {a[0]}; });
  const Output out = while_op({constant_of(g, Tensor(1.0F))}, cond, body)[0];
  Session session(g, {.time_limit = std::chrono::milliseconds(20)});
  try {
    session.run(out);
    ADD_FAILURE() << "it ended";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::DeadlineExceeded);
  }
}

TEST(ControlFlow, ClosingTheSessionStopsALoop) {
  Graph g;
  const Output v = handle(g, "v", Shape{1000});
  Node* const forever = endless(g, v);
  Session session(g, {.threads = 1});
  session.set({{v, Tensor::zeros(DType::Float, Shape{1000})}});
  const Tensor first = session.view(v);
  std::atomic<bool> stopped{false};
  std::thread other([&] {
    EXPECT_THROW(session.run({Fetch(forever)}), Error);
    stopped = true;
  });
  while (session.get(v).values<float>()[0] < 10) std::this_thread::yield();
  session.close();
  other.join();
  EXPECT_TRUE(stopped);
  EXPECT_THAT(first.values<float>(), ::testing::Each(0));
}

// Each access inside is atomic by itself: no add is lost.
TEST(ControlFlow, EightThreadsAddInOneLoop) {
  Graph g;
  const Output v = handle(g, "v", Shape{64});
  const Function& yes = g.add_function("yes", {{DType::Resource}}, [](Graph& b, const Outputs& a) -> Outputs {
    add(a[0], make(b, "Fill", {Tensor::vector<int32_t>({64}), 1.0F}));
    return {};
  });
  const Function& no = g.add_function("no", {{DType::Resource}}, [](Graph& b, const Outputs& a) -> Outputs {
    add(a[0], make(b, "Fill", {Tensor::vector<int32_t>({64}), 2.0F}));
    return {};
  });
  const Outputs loop = turns(g, "loop", 100, {v}, [&](Graph&, const Outputs& a) -> Outputs {
    if_op(make("FloorMod", {a[0], 2}), {a[1]}, yes, no);
    return {a[1]};
  });
  Session session(g, {.threads = 1});
  session.set({{v, Tensor::zeros(DType::Float, Shape{64})}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) EXPECT_EQ(session.run(loop[0]).item<int32_t>(), 100);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_THAT(session.get(v).values<float>(), ::testing::Each(8 * 10 * (50 * 1 + 50 * 2)));
}

// Runs of one session with loops of several lengths and shapes at once, in and out of the pools.
TEST(ControlFlow, ManyShapesOnManyThreads) {
  Graph g;
  const Output x = placeholder_of(g, DType::Float, Shape::unknown());
  const Outputs loop = turns(g, "grow", 3, {x}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("ConcatV2", {a[1], make("Mul", {a[1], 2.0F}), 0})};
  });
  const Output sum = make("Sum", {loop[1], 0});
  Session session(g, {.threads = 1});
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const int n = 1 + (i + t) % 5;
        Tensor ones(DType::Float, Shape{n});
        std::fill_n(ones.data<float>(), n, static_cast<float>(t));
        EXPECT_EQ(session.run(sum, {{x, ones}}).item<float>(), static_cast<float>(n * t * 27));
      }
    });
  for (std::thread& t : threads) t.join();
}

// A fed array is read by the first turn where it lies, and never written.
TEST(ControlFlow, LeavesFeedsAlone) {
  Graph g;
  const Output x = placeholder_of(g, DType::Float, Shape{3});
  const Outputs loop = turns(g, "loop", 4, {x}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("Mul", {a[1], 2.0F})};
  });
  Session session(g);
  const Tensor fed = Tensor::vector<float>({1, 2, 3});
  const Tensor out = session.run(loop[1], {{x, fed}});
  EXPECT_THAT(fed.values<float>(), ::testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(out.values<float>(), ::testing::ElementsAre(16, 32, 48));
  session.run(loop[1], {{x, Tensor::vector<float>({5, 5, 5})}});
  EXPECT_THAT(out.values<float>(), ::testing::ElementsAre(16, 32, 48)) << "a result moved with a later run";
}

TEST(ControlFlow, TracesNameTheNodesOfBodies) {
  Graph g;
  const Output v = handle(g, "v", Shape{});
  const Outputs loop = turns(g, "loop", 2, {v}, [](Graph&, const Outputs& a) -> Outputs {
    add(a[1], 1.0F, "inside");
    return {a[1]};
  });
  std::vector<std::string> names;
  SessionOptions options;
  options.trace = [&](const TraceRecord& r) { names.push_back(r.node->full_name()); };
  Session session(g, options);
  session.set({{v, Tensor(0.0F)}});
  session.run(loop[0]);
  EXPECT_EQ(std::count(names.begin(), names.end(), "loop_body/inside"), 2);
  EXPECT_EQ(std::count(names.begin(), names.end(), "loop_cond/Less"), 3);
  EXPECT_EQ(names.back(), "loop");
}

TEST(ControlFlow, TheNanFinderNamesTheNodeOfTheBody) {
  Graph g;
  const Output x = placeholder_of(g, DType::Float, Shape{});
  const Outputs loop = turns(g, "loop", 3, {x}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("RealDiv", {a[1], make("Sub", {to_float(a[0]), 1.0F})}, {}, "divide")};
  });
  SessionOptions options;
  options.find_nan = true;
  Session session(g, options);
  try {
    session.run(loop[1], {{x, Tensor(1.0F)}});
    ADD_FAILURE() << "nothing was found";
  } catch (const Error& e) {
    EXPECT_EQ(e.node(), "divide");
  }
}

// Random ops of equal names in two bodies draw from streams of their own.
TEST(ControlFlow, BodiesHaveRandomStatesOfTheirOwn) {
  Graph g;
  g.set_random_seed(1);
  const FunctionBody body = [](Graph& b, const Outputs&) -> Outputs {
    const int64_t seed = b.function_name() == "yes" ? 1 : 2;
    return {make(b, "RandomUniform", {Tensor::vector<int32_t>({2})},
                 {{"dtype", DType::Float}, {"seed", seed}, {"seed2", int64_t{7}}}, "draw")};
  };
  const Function& yes = g.add_function("yes", {}, body);
  const Function& no = g.add_function("no", {}, body);
  const Output p = placeholder_of(g, DType::Bool, Shape{});
  const Output out = if_op(p, {}, yes, no)[0];
  Session session(g);
  const Tensor a = session.run(out, {{p, Tensor(true)}});
  const Tensor b = session.run(out, {{p, Tensor(false)}});
  const Tensor c = session.run(out, {{p, Tensor(true)}});
  EXPECT_NE(a.str(), b.str());
  EXPECT_NE(a.str(), c.str()) << "the state does not move";
  EXPECT_EQ(Session(g).run(out, {{p, Tensor(false)}}).str(), b.str()) << "the other body moved it";
}

std::string refusal(Graph& g, const Fetch& fetch) {
  try {
    Session(g).run(fetch);
  } catch (const Error& e) {
    return std::string(code_name(e.code())) + " " + e.what();
  }
  return "nothing";
}

Outputs same(Graph&, const Outputs& a) { return a; }

TEST(ControlFlow, RefusesByName) {
  Graph g;
  const Output x = constant_of(g, Tensor(3.0F));
  const Output i = constant_of(g, Tensor(0));
  const Output yes = constant_of(g, Tensor(true));
  const Function& f = g.add_function("float_to_float", {{DType::Float}}, same);
  const Function& to_int = g.add_function("float_to_int", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("Cast", {a[0]}, {{"DstT", DType::Int32}})};
  });
  const Function& positive = g.add_function("positive", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("Greater", {a[0], 0.0F})};
  });
  const Function& two = g.add_function("two", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {a[0], a[0]};
  });
  const AttrMap missing{{"Tout", std::vector<DType>{DType::Float}},
                        {"then_branch", FunctionName{"nowhere"}},
                        {"else_branch", FunctionName{"float_to_float"}}};
  EXPECT_EQ(refusal(g, make("If", {yes, x}, missing, "a")), "NotFound [If a] Function nowhere is not defined.");
  EXPECT_EQ(refusal(g, if_op(yes, {x}, f, to_int, "b")[0]),
            "InvalidArgument [If b] function float_to_int: expected type float for return value 0 but got int32");
  EXPECT_EQ(refusal(g, if_op(yes, {i}, f, f, "c")[0]),
            "InvalidArgument [If c] function float_to_float expects arg[0] to be float but int32 is provided");
  EXPECT_EQ(refusal(g, if_op(yes, {x, x}, f, f, "d")[0]),
            "InvalidArgument [If d] function float_to_float expects 1 arguments, but 2 is provided");
  EXPECT_EQ(refusal(g, if_op(yes, {x}, two, f, "e")[0]),
            "InvalidArgument [If e] function float_to_float: expect to produce 2 tensors, but only get 1");
  EXPECT_EQ(refusal(g, if_op(constant_of(g, Tensor(1.0F).cast(DType::Half)), {x}, f, f, "h")[0]),
            "InvalidArgument [If h] half cannot be converted to a boolean");
  EXPECT_EQ(refusal(g, while_op({x}, two, f, "w")[0]),
            "InvalidArgument [While w] Expected a single scalar return value from WhileOp cond, got 2 tensors.");
  EXPECT_EQ(refusal(g, while_op({x}, positive, to_int, "z")[0]),
            "InvalidArgument [While z] function float_to_int: expected type float for return value 0 but got int32");
  EXPECT_THROW(g.add_function("two", {}, same), Error);
  EXPECT_THROW(g.add_function("strange", {}, [&](Graph&, const Outputs&) -> Outputs { return {x}; }), Error);
  EXPECT_THROW(gradients({if_op(yes, {x}, f, f, "no_gradient")[0]}, {x}), Error);
}

TEST(ControlFlow, RefusesAFunctionThatCallsItself) {
  Graph g;
  const Function& f = g.add_function("again", {{DType::Float}}, [](Graph& b, const Outputs& a) -> Outputs {
    return {make("If", {constant_of(b, Tensor(true)), a[0]},
                 {{"Tout", std::vector<DType>{DType::Float}},
                  {"then_branch", FunctionName{"again"}},
                  {"else_branch", FunctionName{"again"}}},
                 "inner")};
  });
  EXPECT_EQ(refusal(g, if_op(constant_of(g, Tensor(true)), {constant_of(g, Tensor(1.0F))}, f, f, "outer")[0]),
            "Unimplemented [If inner] the function again calls itself");
}

// A function that is called along 2^40 paths is planned once.
TEST(ControlFlow, SharesTheBodiesOfEqualCalls) {
  Graph g;
  const Function* f = &g.add_function("f0", {{DType::Float}}, [](Graph&, const Outputs& a) -> Outputs {
    return {make("AddV2", {a[0], 1.0F})};
  });
  for (int i = 1; i <= 40; ++i)
    f = &g.add_function("f" + std::to_string(i), {{DType::Float}}, [f](Graph& b, const Outputs& a) -> Outputs {
      return if_op(constant_of(b, Tensor(true)), {a[0]}, *f, *f);
    });
  EXPECT_EQ(
      Session(g).run(if_op(constant_of(g, Tensor(true)), {constant_of(g, Tensor(1.0F))}, *f, *f)[0]).item<float>(), 2);
}

TEST(ControlFlow, FunctionsAreMadeFromManyThreads) {
  Graph g;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i)
        g.add_function("f" + std::to_string(t * 20 + i), {{DType::Float}}, [t](Graph&, const Outputs& a) -> Outputs {
          return {make("AddV2", {a[0], static_cast<float>(t)})};
        });
    });
  for (std::thread& t : threads) t.join();
  const Output x = constant_of(g, Tensor(1.0F));
  for (int f : {0, 75, 159}) {
    const Function& made = *g.find_function("f" + std::to_string(f));
    const int thread = f / 20;
    EXPECT_EQ(Session(g).run(if_op(constant_of(g, Tensor(true)), {x}, made, made)[0]).item<float>(),
              static_cast<float>(1 + thread));
  }
}

}  // namespace
}  // namespace vf
