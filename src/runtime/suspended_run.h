#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/compiled_plan.h"
#include "runtime/session_state.h"

namespace vf::runtime {

// A run that goes on as its feeds come (PartialRun). Its program is cut into stages: what is ready now is brought to
// the front, specialised as a continuation of the stage before, and run.
class SuspendedRun {
 public:
  // Runs what needs no feed.
  SuspendedRun(std::shared_ptr<SessionState> state, const Fetches& fetches, const std::vector<Output>& feeds);
  // Errors are those of PartialRun::run.
  std::vector<Tensor> run(const Fetches& fetches, const Feeds& feeds);

 private:
  struct Stage {
    std::shared_ptr<Prepared> prepared;
    std::unique_ptr<Frame> frame;
  };
  size_t feed_index(const Output& feed) const;
  // The first of these fetches that is not in `taken`, where it then is.
  size_t take_fetch(const Fetch& fetch, std::vector<char>& taken) const;
  void check_computable(const Output& fetch, const std::vector<char>& fed) const;
  // How many items have run or are ready: they are the program's first now. A fetched reference is read when it is
  // asked for.
  int bring_forward(const std::vector<size_t>& asked);
  void advance(int end);
  Tensor value(size_t fetch) const;

  const std::shared_ptr<SessionState> state_;
  std::mutex mutex_;
  plan::Signature signature_;
  std::shared_ptr<CompiledPlan> plan_;  // of the whole
  plan::Program program_;
  std::vector<Tensor> fed_;  // by feed; invalid where it is missing
  std::vector<char> fetched_;
  int done_ = 0;  // the program's first items, which have run
  bool over_ = false;
  std::vector<BufferRef> pins_;
  std::vector<Stage> stages_;  // all are kept: later ones point into the memory of earlier ones
};

}  // namespace vf::runtime
