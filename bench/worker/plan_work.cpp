// Making a plan of many nodes: what a session's first run takes longer than its second.
#include <chrono>

#include "varflow/operators.h"
#include "varflow/session.h"
#include "varflow/variables.h"
#include "worker/noise.h"
#include "worker/work.h"

namespace vf::bench {
namespace {

constexpr int64_t kVariables = 100;
constexpr int64_t kFloats = 16;

// x = (v -= tanh(x * v)) with each of 100 variables in turn: three nodes, one of which reads and one writes a variable
// that was read and written before, so that the plan has to order them. No node is oneDNN's.
class Plan : public Work {
 public:
  Plan(const WorkOptions& o, int64_t nodes) : options_{.threads = o.threads} {
    std::vector<Variable> variables;
    for (int64_t i = 0; i < kVariables; ++i)
      variables.push_back(variable(graph_, noise({kFloats}, -1, 1, static_cast<uint64_t>(i))));
    initialize_ = global_variables_initializer(graph_);
    end_ = constant(graph_, noise({kFloats}, -1, 1, kVariables));
    for (int64_t i = 0; 3 * i < nodes / o.shrink; ++i) {
      const Variable& v = variables[static_cast<size_t>(i % kVariables)];
      end_ = assign_sub(v, make("Tanh", {end_ * v}));
    }
  }

  Arrays start() override { return {}; }
  Arrays answer() override {
    Session session(graph_, options_);
    session.run({initialize_});
    return {{"end", session.run(end_)}};
  }
  double measure(int64_t warm, int64_t steps) override {
    for (int64_t i = 0; i < warm; ++i) make_plan();
    double seconds = 0;
    for (int64_t i = 0; i < steps; ++i) seconds += make_plan();
    return seconds;
  }

 private:
  double make_plan() {
    using Clock = std::chrono::steady_clock;
    Session session(graph_, options_);
    session.run({initialize_});
    const auto begin = Clock::now();
    session.run(end_);
    const auto planned = Clock::now();
    session.run(end_);
    const auto end = Clock::now();
    return std::chrono::duration<double>((planned - begin) - (end - planned)).count();
  }

  const SessionOptions options_;
  Graph graph_;
  Node* initialize_ = nullptr;
  Output end_;
};

}  // namespace

std::unique_ptr<Work> make_plan(const WorkOptions& o, int64_t nodes) { return std::make_unique<Plan>(o, nodes); }

}  // namespace vf::bench
