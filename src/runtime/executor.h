#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "plan/segment.h"
#include "runtime/representations.h"
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
  std::span<const std::shared_ptr<Representation>> representations;  // of the segment's list
  std::vector<Tensor> made;  // the last step's outputs whose shapes it has decided, by number of the output
};

// A segment with its pool of frames.
class FramePool {
 public:
  // With the representations that the segment's reads pin, of these variables.
  FramePool(const plan::Segment& segment, std::span<VariableEntry* const> variables, Representations& store);
  std::unique_ptr<Frame> take();
  void give(std::unique_ptr<Frame> frame);

 private:
  std::unique_ptr<Frame> make() const;
  const plan::Segment& segment_;
  std::vector<std::shared_ptr<Representation>> representations_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Frame>> free_;
};

// What a run is fed: a caller's tensors, or memory of the run around it.
class FeedValues {
 public:
  FeedValues(std::span<const Tensor> tensors) : tensors_(tensors) {}
  FeedValues(std::span<const void* const> data, std::span<const Shape> shapes) : data_(data), shapes_(shapes) {}
  size_t size() const { return tensors_.size() + data_.size(); }
  const Shape& shape(size_t i) const { return tensors_.empty() ? shapes_[i] : tensors_[i].shape(); }
  const void* data(size_t i) const { return tensors_.empty() ? data_[i] : tensors_[i].raw(); }

 private:
  std::span<const Tensor> tensors_;
  std::span<const void* const> data_;
  std::span<const Shape> shapes_;
};

struct RunArguments {
  FeedValues feeds;
  std::span<VariableEntry* const> variables;
  const Cancellation* cancellation;
  StepObserver* observer;  // may be null
  // Made by the run; or, where there is `result_memory`, left alone: that is a place of its size for each.
  std::span<Tensor> results;
  void* const* result_memory = nullptr;
};

// What the kernels of blocks see beside: the run around their bodies.
struct StepRun : KernelRun {
  using KernelRun::KernelRun;
  const RunArguments* around = nullptr;
};

// Runs the steps of one segment. `frame` is of its pool; `pins` are those of the run's first frame; `outer` is the
// frame of the segment before, or null. The caller's floating-point mode and threads are as the plan needs them.
void run_segment(const plan::Segment& segment, Frame& frame, std::vector<BufferRef>& pins, const Frame* outer,
                 const RunArguments& arguments);

}  // namespace vf::runtime
