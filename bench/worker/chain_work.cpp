// A chain of many small ops, by Session::run: what an op costs besides its arithmetic.
#include "varflow/operators.h"
#include "worker/noise.h"
#include "worker/session_work.h"

namespace vf::bench {
namespace {

constexpr int64_t kFloats = 16;

// x * w, - w, * w, - w, ...; both are fed, so that nothing can be computed in advance, and w is near 1, so that x
// stays near the range that it starts in.
class Chain : public SessionWork {
 public:
  explicit Chain(const WorkOptions& o) : SessionWork(1'000'000) {
    const Output x = placeholder(graph_, DType::Float, {kFloats}, "x");
    const Output w = placeholder(graph_, DType::Float, {kFloats}, "w");
    end_ = x;
    for (int64_t i = 0; i < 1000 / o.shrink; ++i) end_ = i % 2 == 0 ? end_ * w : end_ - w;
    open({.threads = o.threads}, {});
    feeds_ = {{"feed/x", noise({kFloats}, 1, 2, 1)}, {"feed/w", noise({kFloats}, 0.99F, 1, 2)}};
    run_feeds_ = {{x, feeds_.at("feed/x")}, {w, feeds_.at("feed/w")}};
  }
  void step() override { result_ = session_->run(end_, run_feeds_); }
  Arrays answer() override {
    step();
    return {{"end", result_}};
  }

 private:
  Output end_;
  Feeds run_feeds_;
  Tensor result_;
};

}  // namespace

std::unique_ptr<Work> make_chain(const WorkOptions& o) { return std::make_unique<Chain>(o); }

}  // namespace vf::bench
