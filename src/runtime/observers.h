#pragma once
#include <chrono>
#include <functional>

#include "runtime/executor.h"
#include "varflow/session.h"

namespace vf::runtime {

// Calls the session's trace function after each step.
class Tracer : public StepObserver {
 public:
  explicit Tracer(const std::function<void(const TraceRecord&)>& sink) : sink_(sink) {}
  void before(const plan::Step& step) override;
  void after(const plan::Segment& segment, const plan::Step& step, void* const* slots) override;

 private:
  const std::function<void(const TraceRecord&)>& sink_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int64_t begin_ns_ = 0;
};

// Fails the run at the first floating-point result that is not finite.
class NanFinder : public StepObserver {
 public:
  void before(const plan::Step&) override { ++steps_; }
  void after(const plan::Segment& segment, const plan::Step& step, void* const* slots) override;

 private:
  int steps_ = -1;
};

class ObserverPair : public StepObserver {
 public:
  ObserverPair(StepObserver& a, StepObserver& b) : a_(a), b_(b) {}
  void before(const plan::Step& step) override {
    a_.before(step);
    b_.before(step);
  }
  void after(const plan::Segment& segment, const plan::Step& step, void* const* slots) override {
    a_.after(segment, step, slots);
    b_.after(segment, step, slots);
  }

 private:
  StepObserver& a_;
  StepObserver& b_;
};

}  // namespace vf::runtime
