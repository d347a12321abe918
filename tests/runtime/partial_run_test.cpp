// Runs in parts. What they give, their errors and when ops run is TensorFlow 2.21's Session.partial_run.
#include <gtest/gtest.h>

#include "varflow/op.h"
#include "varflow/session.h"

namespace vf {
namespace {

class PartialRunTest : public testing::Test {
 protected:
  Output placeholder(const std::string& name, const Shape& shape = {}) {
    return make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", shape}}, name);
  }
  template <class F>
  static std::string error_of(F f) {
    try {
      f();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::InvalidArgument);
      return e.what();
    }
    return "none";
  }

  Graph graph;
  Output a = placeholder("a");
  Output b = placeholder("b");
  Output c = placeholder("c");
  Output r1 = make("Add", {a, b}, {}, "r1");
  Output r2 = make("Mul", {r1, c}, {}, "r2");
  Output v = make(graph, "VariableV2", {}, {{"dtype", DType::Float}, {"shape", Shape{}}}, "v");
  Output inc = make("AssignAdd", {v, 1.0F}, {}, "inc");
  Session session{graph};
};

TEST_F(PartialRunTest, GoesOnWhereItStopped) {
  PartialRun run = session.partial_run_setup({r1, r2}, {a, b, c});
  EXPECT_EQ(run.run(r1, {{a, 1.0F}, {b, 2.0F}}).item<float>(), 3);
  EXPECT_EQ(run.run(r2, {{c, 10.0F}}).item<float>(), 30);
  EXPECT_EQ(error_of([&] { run.run(r2, {{c, 10.0F}}); }), "Must run 'setup' before performing partial runs!");
}

TEST_F(PartialRunTest, TakesFeedsWithoutFetches) {
  PartialRun run = session.partial_run_setup({r1, r2}, {a, b, c});
  EXPECT_TRUE(run.run(Fetches{}, {{a, 1.0F}}).empty());
  EXPECT_TRUE(run.run(Fetches{}, {{b, 1.0F}}).empty());
  EXPECT_EQ(run.run(r1).item<float>(), 2);
  EXPECT_EQ(run.run(r2, {{c, 5.0F}}).item<float>(), 10);
}

TEST_F(PartialRunTest, RefusesWithTensorFlowsTexts) {
  EXPECT_EQ(error_of([&] { session.partial_run_setup(Fetches{}, {a}); }),
            "Must specify at least one target to fetch or execute.");
  EXPECT_EQ(error_of([&] { session.partial_run_setup({inc.node}); }), "partial_run() requires empty `target_list`.");
  PartialRun run = session.partial_run_setup({r1, r2}, {a, b, c});
  EXPECT_EQ(error_of([&] {
              run.run(r2, {{a, 1.0F}, {b, 2.0F}});
            }),
            "Fetch c:0 can't be computed from the feeds that have been fed so far.");
  EXPECT_EQ(error_of([&] { run.run(inc, {}); }), "The fetch inc:0 was not specified in partial_run_setup.");
  EXPECT_EQ(error_of([&] { run.run(r1, {{v, 1.0F}}); }), "The feed v:0 was not specified in partial_run_setup.");
  EXPECT_NE(error_of([&] { run.run(r1, {{a, Tensor::vector<float>({1, 2})}}); }), "none");
  // What was refused changed nothing.
  EXPECT_EQ(run.run(r1, {{a, 1.0F}, {b, 2.0F}}).item<float>(), 3);
  EXPECT_EQ(error_of([&] { run.run(r2, {{a, 1.0F}, {c, 2.0F}}); }), "The feed a:0 has already been fed.");
  EXPECT_EQ(error_of([&] { run.run({r1, r2}, {{c, 2.0F}}); }), "The fetch r1:0 has already been fetched.");
  EXPECT_EQ(run.run(r2, {{c, 2.0F}}).item<float>(), 6);
}

// Ops that need no feed run when the run is set up, others as soon as they can; each once.
TEST_F(PartialRunTest, RunsEachOpOnce) {
  session.set({{v, 1.0F}});
  PartialRun run = session.partial_run_setup({r1, inc}, {a, b});
  EXPECT_EQ(session.get(v).item<float>(), 2);
  EXPECT_EQ(run.run(r1, {{a, 5.0F}, {b, 1.0F}}).item<float>(), 6);
  EXPECT_EQ(session.get(v).item<float>(), 2);
  EXPECT_EQ(run.run(inc).item<float>(), 2);
  EXPECT_EQ(session.get(v).item<float>(), 2);

  Output after;
  {
    const ControlDependencies wait(graph, {make("AssignAdd", {v, a})});
    after = make("Identity", {b});
  }
  PartialRun second = session.partial_run_setup({r2, after}, {a, b, c});
  EXPECT_EQ(second.run(after, {{a, 5.0F}, {b, 1.0F}}).item<float>(), 1);
  EXPECT_EQ(session.get(v).item<float>(), 7);
  EXPECT_EQ(second.run(r2, {{c, 2.0F}}).item<float>(), 12);
  EXPECT_EQ(session.get(v).item<float>(), 7);
}

// Another run writes the variable in between: what was read stays.
TEST_F(PartialRunTest, KeepsTheVersionThatItRead) {
  session.set({{v, 3.0F}});
  const Output read = make("Identity", {v}, {}, "v/read");
  const Output product = make("Mul", {read, c});
  PartialRun run = session.partial_run_setup({product, read, v}, {c});
  session.set({{v, 100.0F}});
  EXPECT_EQ(run.run(product, {{c, 2.0F}}).item<float>(), 6);
  EXPECT_EQ(run.run(read).item<float>(), 3);
  EXPECT_EQ(run.run(v).item<float>(), 100) << "a reference is read when it is fetched";
}

TEST_F(PartialRunTest, CopiesWhatItIsFed) {
  PartialRun run = session.partial_run_setup({r1, r2}, {a, b, c});
  Tensor fed(1.0F);
  run.run(Fetches{}, {{a, fed}});
  *fed.data<float>() = 100;
  EXPECT_EQ(run.run(r1, {{b, 2.0F}}).item<float>(), 3);
}

TEST_F(PartialRunTest, TakesAFeedInPlaceOfWhatIsComputed) {
  PartialRun run = session.partial_run_setup({r2}, {r1, c});
  EXPECT_EQ(run.run(r2, {{r1, 5.0F}, {c, 2.0F}}).item<float>(), 10);
}

TEST_F(PartialRunTest, TakesTheSameFetchAsOftenAsItWasSetUp) {
  PartialRun run = session.partial_run_setup({r1, r1, a}, {a, b});
  const auto out = run.run({r1, r1}, {{a, 5.0F}, {b, 1.0F}});
  EXPECT_EQ(out[0].item<float>() + out[1].item<float>(), 12);
  EXPECT_EQ(run.run(a).item<float>(), 5);
}

// Shapes that come with the feeds, and one that depends on a fed value.
TEST_F(PartialRunTest, LearnsShapesAsTheyCome) {
  const Output x = placeholder("x", Shape::unknown());
  const Output shape = make(graph, "Placeholder", {}, {{"dtype", DType::Int32}, {"shape", Shape{2}}}, "shape");
  const Output twice = make("Add", {x, x});
  const Output grid = make("Reshape", {twice, make("Add", {shape, Tensor::vector<int32_t>({1, 0})})});
  const Output sum = make("Sum", {make("Mul", {grid, c}), Tensor::vector<int32_t>({0})});
  for (int round = 0; round < 2; ++round) {
    PartialRun run = session.partial_run_setup({sum, twice}, {x, shape, c});
    EXPECT_EQ(run.run(twice, {{x, Tensor::vector<float>({1, 2, 3, 4})}}).shape(), Shape{4});
    run.run(Fetches{}, {{shape, Tensor::vector<int32_t>({1, 2})}});
    const Tensor out = run.run(sum, {{c, 10.0F}});
    ASSERT_EQ(out.shape(), Shape{2});
    EXPECT_EQ(out.data<float>()[0], 80);
    EXPECT_EQ(out.data<float>()[1], 120);
  }
}

TEST_F(PartialRunTest, EndsWithAnErrorOfAStep) {
  const Output bad = make("Add", {v, a});  // v has no value
  EXPECT_THROW(
      {
        PartialRun run = session.partial_run_setup({bad, r1}, {a, b});
        run.run(bad, {{a, 1.0F}});
      },
      Error);
}

TEST_F(PartialRunTest, OutlivesTheSessionButNotItsClosing) {
  auto other = std::make_unique<Session>(graph);
  PartialRun run = other->partial_run_setup({r1, r2}, {a, b, c});
  other.reset();
  EXPECT_EQ(run.run(r1, {{a, 1.0F}, {b, 2.0F}}).item<float>(), 3);
  PartialRun closed = session.partial_run_setup({r1}, {a, b});
  session.close();
  EXPECT_THROW(session.partial_run_setup({r1}, {a, b}), Error);
  try {
    closed.run(r1, {{a, 1.0F}, {b, 2.0F}});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "Attempted to use a closed Session.");
  }
}

}  // namespace
}  // namespace vf
