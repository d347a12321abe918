#pragma once
#include <memory>
#include <vector>

#include "runtime/compiled_plan.h"

namespace vf::runtime {

// Runs of a body by one caller, one after the other: what was looked up is kept for as long as no shape changes, and
// two sets of results take turns, so that a run may read the results of the one before.
class BodyRun {
 public:
  BodyRun(std::shared_ptr<CompiledPlan> plan, int threads) : plan_(std::move(plan)), threads_(threads) {
    for (auto& set : results_) set.resize(plan_->program().fetches.size());
    memory_.resize(plan_->program().fetches.size());
  }
  ~BodyRun() { let_go(); }
  BodyRun(const BodyRun&) = delete;
  BodyRun& operator=(const BodyRun&) = delete;

  // Results go to `memory`, a place for each of the shape that was planned (`planned`); where null, see result().
  void run(const FeedValues& feeds, const RunArguments& around, void* const* memory, const std::vector<Shape>& planned);
  // Of the last run that had no memory for them; stays until the next but one.
  Tensor& result(size_t i) { return results_[set_][i]; }

 private:
  bool fits(const FeedValues& feeds) const;
  void prepare(const FeedValues& feeds);
  void let_go();

  const std::shared_ptr<CompiledPlan> plan_;
  const int threads_;
  std::shared_ptr<Prepared> at_;
  std::unique_ptr<Frame> frame_;  // of at_, where it has no boundary
  std::vector<Shape> feed_shapes_;
  std::vector<uint64_t> shape_versions_;
  std::vector<Tensor> results_[2];
  std::vector<void*> memory_;
  size_t set_ = 0;
};

}  // namespace vf::runtime
