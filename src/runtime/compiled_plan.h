#pragma once
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plan/program.h"
#include "plan/specialise.h"
#include "runtime/blocks.h"
#include "runtime/executor.h"
#include "runtime/variable_store.h"

namespace vf::runtime {

// A segment that is ready to run, with what follows it.
struct Prepared {
  Prepared(std::unique_ptr<plan::Segment> s, std::span<VariableEntry* const> variables, Representations& store)
      : segment(std::move(s)), frames(*segment, variables, store) {}
  std::unique_ptr<plan::Segment> segment;
  FramePool frames;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Prepared>> next;  // by what the boundary waits for
};

// The values and shapes that a segment's boundary waits for, once it has run.
std::vector<Tensor> boundary_values(const plan::Segment& segment, const Frame& frame);
std::vector<Shape> boundary_shapes(const plan::Segment& segment, const Frame& frame);

// A signature's plan with its specialisations; or that of a body. Thread-safe.
class CompiledPlan {
 public:
  struct Settings {
    bool deterministic = false;
    Precision precision = Precision::High;
    bool fuse = true;
    Resources* resources = nullptr;
    Representations* representations = nullptr;
    size_t num_results = 0;  // fetched values and nodes that are only run
  };
  // The session's entry of a variable.
  using Entries = std::function<VariableEntry&(const Node&)>;

  static std::shared_ptr<CompiledPlan> make(plan::Program program, const Entries& entries, Settings settings);

  // Runs it; `threads` is what the caller will really get. Results are the caller's own.
  std::vector<Tensor> run(std::span<const Tensor> feeds, int threads, const Cancellation& cancellation,
                          StepObserver* observer);
  // Bytes that the plan keeps between runs, roughly.
  size_t bytes() const;
  const plan::Program& program() const { return *program_; }
  std::span<VariableEntry* const> variables() const { return variables_; }

  // For blocks, which run the plans of their bodies themselves. The specialisation for these feeds, and for the
  // variables' present shapes or, where given, for others.
  std::shared_ptr<Prepared> find(const FeedValues& feeds, int threads,
                                 const std::vector<Shape>* variable_shapes = nullptr);
  // Runs a specialisation to the end, through its continuations.
  void run_from(std::shared_ptr<Prepared> at, int threads, const RunArguments& arguments);

  // For who specialises the program by himself.
  plan::Conditions conditions(const FeedValues& feeds, int threads) const;
  std::shared_ptr<Prepared> prepared(std::unique_ptr<plan::Segment> segment) const;

 private:
  struct Specialisation {
    std::vector<Shape> feed_shapes;
    std::vector<Shape> variable_shapes;
    std::vector<uint64_t> shape_versions;
    int threads = 1;
    std::shared_ptr<Prepared> root;
  };
  CompiledPlan(std::shared_ptr<const plan::Program> program, const Entries& entries, Settings settings,
               BodyPlans::Plans& made);
  std::shared_ptr<Prepared> continuation(const std::shared_ptr<Prepared>& outer, const Frame& frame,
                                         const FeedValues& feeds, int threads);
  bool matches(Specialisation& s, const FeedValues& feeds, int threads,
               const std::vector<Shape>* variable_shapes) const;
  size_t cost(const plan::Segment& segment) const;

  const std::shared_ptr<const plan::Program> program_;
  std::vector<VariableEntry*> variables_;
  const Settings settings_;
  const BodyPlans bodies_;
  std::mutex mutex_;
  std::list<Specialisation> specialisations_;  // last used first
  std::atomic<size_t> bytes_{0};
};

}  // namespace vf::runtime
