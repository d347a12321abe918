#include "runtime/body_run.h"

namespace vf::runtime {

bool BodyRun::fits(const FeedValues& feeds) const {
  if (!at_) return false;
  for (size_t i = 0; i < feed_shapes_.size(); ++i)
    if (!(feed_shapes_[i] == feeds.shape(i))) return false;
  const auto variables = plan_->variables();
  for (size_t v = 0; v < variables.size(); ++v)
    if (shape_versions_[v] != variables[v]->shape_version()) return false;
  return true;
}

void BodyRun::prepare(const FeedValues& feeds) {
  let_go();
  feed_shapes_.clear();
  for (size_t i = 0; i < feeds.size(); ++i) feed_shapes_.push_back(feeds.shape(i));
  shape_versions_.clear();
  for (const VariableEntry* v : plan_->variables()) shape_versions_.push_back(v->shape_version());
  at_ = plan_->find(feeds, threads_);
  if (!at_->segment->boundary) frame_ = at_->frames.take();
}

void BodyRun::let_go() {
  if (frame_) at_->frames.give(std::move(frame_));
  at_.reset();
}

void BodyRun::run(const FeedValues& feeds, const RunArguments& around, void* const* memory,
                  const std::vector<Shape>& planned) {
  if (!fits(feeds)) prepare(feeds);
  if (!memory) set_ ^= 1;
  RunArguments arguments{feeds, plan_->variables(), around.cancellation, around.observer, results_[set_], memory};
  if (!frame_) {
    if (memory) throw Error(Code::Aborted, "a variable changed its shape while the run was under way");
    plan_->run_from(at_, threads_, arguments);
    return;
  }
  const std::vector<plan::Result>& shapes = at_->segment->results;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (memory) {
      if (!(shapes[i].shape == planned[i]))
        throw Error(Code::Aborted, "a variable changed its shape while the run was under way");
      continue;
    }
    Tensor& t = results_[set_][i];
    if (t.dtype() != shapes[i].dtype || !(t.shape() == shapes[i].shape)) t = Tensor(shapes[i].dtype, shapes[i].shape);
    memory_[i] = t.raw();
  }
  if (!memory) arguments.result_memory = memory_.data();
  struct Release {
    std::vector<BufferRef>& pins;
    ~Release() {
      for (BufferRef& p : pins) p.reset();
    }
  } release{frame_->pins};
  run_segment(*at_->segment, *frame_, frame_->pins, nullptr, arguments);
}

}  // namespace vf::runtime
