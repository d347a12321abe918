#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "plan/segment.h"
#include "runtime/variable_store.h"
#include "varflow/kernel.h"
#include "varflow/tensor.h"

namespace vf::runtime {

// Sees each step of a run, on the run's thread: traces, the NaN finder, tests that delay.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void before(const plan::Step& step) = 0;
  virtual void after(const plan::Segment& segment, const plan::Step& step, void* const* slots) = 0;
};

// What one run writes in one segment; from a pool, so that several runs share a plan and the second allocates nothing.
struct Frame {
  std::vector<void*> slots;
  std::vector<BufferRef> pins;  // by slot; those of all segments of a run are in its first frame
  std::vector<WriteHandle> writes;
  BufferRef arena;
  std::vector<std::pair<uint32_t, Tensor>> owned;
};

// A segment with its pool of frames.
class FramePool {
 public:
  explicit FramePool(const plan::Segment& segment) : segment_(segment) {}
  std::unique_ptr<Frame> take();
  void give(std::unique_ptr<Frame> frame);

 private:
  std::unique_ptr<Frame> make() const;
  const plan::Segment& segment_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Frame>> free_;
};

struct RunArguments {
  std::span<const Tensor> feeds;
  std::span<VariableEntry* const> variables;
  const Cancellation* cancellation;
  StepObserver* observer;  // may be null
  std::vector<Tensor>* results;
};

// Runs the steps of one segment. `frame` is of its pool; `pins` are those of the run's first frame; `outer` is the
// frame of the segment before, or null. The caller's floating-point mode and threads are as the plan needs them.
void run_segment(const plan::Segment& segment, Frame& frame, std::vector<BufferRef>& pins, const Frame* outer,
                 const RunArguments& arguments);

}  // namespace vf::runtime
