#pragma once
#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "plan/program.h"
#include "plan/specialise.h"
#include "runtime/executor.h"
#include "runtime/variable_store.h"

namespace vf::runtime {

// A segment that is ready to run, with what follows it.
struct Prepared {
  explicit Prepared(std::unique_ptr<plan::Segment> s) : segment(std::move(s)), frames(*segment) {}
  std::unique_ptr<plan::Segment> segment;
  FramePool frames;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Prepared>> next;  // by the boundary's values
};

// A signature's plan with its specialisations. Thread-safe.
class CompiledPlan {
 public:
  struct Settings {
    bool deterministic = false;
    Resources* resources = nullptr;
    size_t num_results = 0;  // fetched values and nodes that are only run
  };

  CompiledPlan(plan::Program program, std::vector<VariableEntry*> variables, size_t num_fetches, Settings settings)
      : program_(std::move(program)),
        variables_(std::move(variables)),
        num_fetches_(num_fetches),
        settings_(settings) {}

  // Runs it; `threads` is what the caller will really get. Results are the caller's own.
  std::vector<Tensor> run(std::span<const Tensor> feeds, int threads, const Cancellation& cancellation,
                          StepObserver* observer);
  // Bytes that the plan keeps between runs, roughly.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  const plan::Program& program() const { return program_; }

 private:
  struct Specialisation {
    std::vector<Shape> feed_shapes;
    std::vector<Shape> variable_shapes;
    std::vector<uint64_t> shape_versions;
    int threads = 1;
    std::shared_ptr<Prepared> root;
  };
  std::shared_ptr<Prepared> find(std::span<const Tensor> feeds, int threads);
  std::shared_ptr<Prepared> continuation(const std::shared_ptr<Prepared>& outer, const Frame& frame,
                                         std::span<const Tensor> feeds, int threads);
  bool matches(Specialisation& s, std::span<const Tensor> feeds, int threads) const;
  plan::Conditions conditions(std::span<const Tensor> feeds, int threads) const;
  size_t cost(const plan::Segment& segment) const;

  const plan::Program program_;
  const std::vector<VariableEntry*> variables_;
  const size_t num_fetches_;
  const Settings settings_;
  std::mutex mutex_;
  std::list<Specialisation> specialisations_;  // last used first
  std::atomic<size_t> bytes_{0};
};

}  // namespace vf::runtime
