// A thousand random programs of reads, assigns, arithmetic and gradients mean what the interpreter says, in the order
// of the graph and in other legal orders of planning.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "runtime/program_graph.h"
#include "runtime/random_program.h"
#include "runtime/session_state.h"

namespace vf::testing {
namespace {

// Empty where the values agree.
std::string difference(const std::vector<Values>& actual, const std::vector<Values>& expected, double tolerance) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (actual.at(i).shape != expected[i].shape) return "shape of number " + std::to_string(i);
    for (size_t k = 0; k < expected[i].numbers.size(); ++k)
      if (!(std::abs(actual[i].numbers[k] - expected[i].numbers[k]) <= tolerance))
        return "number " + std::to_string(i) + " element " + std::to_string(k) + ": " +
               std::to_string(actual[i].numbers[k]) + ", expected " + std::to_string(expected[i].numbers[k]);
  }
  return actual.size() == expected.size() ? "" : "another count";
}

// What programs hold between them, so that the test knows that it tried what it says.
struct Tally {
  int runs = 0;
  int gradients_after_writes = 0;
  std::set<Kind> kinds;
};

void compare(uint64_t seed, Tally& tally) {
  const bool single = seed % 2 == 0;
  RandomProgram random(seed);
  ProgramGraph graph(single ? DType::Float : DType::Double);
  Interpreter interpreter(random.program(), single);
  graph.follow(random.program());
  Session session(graph.graph(), {.threads = 1});
  for (Node* n : graph.initializers()) session.run(n);
  if (seed % 3 != 0) SessionAccess::state(session).hooks = {.shuffle = true, .seed = seed};
  for (int round = 0; round < 4; ++round) {
    const Request request = random.request();
    const std::map<int, Values> feeds = random.feeds();
    const Interpreter::Results expected = interpreter.run(request, feeds);
    if (!(interpreter.largest() < 1e6)) return;  // past what rounding errors can be told from faults
    const double tolerance = interpreter.largest() * (single ? 2e-5 : 1e-12);
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round) + "\n" + text(random.program()) +
                 text(request));
    Interpreter::Results actual;
    ASSERT_NO_THROW(actual = graph.run(session, random.program(), request, feeds));
    ASSERT_EQ(difference(actual.fetches, expected.fetches, tolerance), "");
    ASSERT_EQ(difference(actual.variables, expected.variables, tolerance), "");
    ASSERT_EQ(difference(graph.variables(session), interpreter.variables(), tolerance), "");
    ++tally.runs;
    if (round == 1) {  // the graph grows between runs
      random.grow();
      graph.follow(random.program());
    }
  }
  for (const Statement& s : random.program().statements) tally.kinds.insert(s.kind);
}

TEST(RandomPrograms, MeanWhatTheInterpreterSays) {
  Tally tally;
  for (uint64_t seed = 0; seed < 1000 && !HasFatalFailure(); ++seed) compare(seed, tally);
  EXPECT_GT(tally.runs, 3500);
  EXPECT_EQ(tally.kinds.size(), static_cast<size_t>(Kind::Gradient) + 1);
}

}  // namespace
}  // namespace vf::testing
