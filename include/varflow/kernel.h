#pragma once
// What kernels see. A kernel has two steps: make, when a plan is specialised, with concrete shapes; and run, which only
// computes: it allocates, creates and looks up nothing.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "varflow/error.h"
#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/shape.h"
#include "varflow/tensor.h"

namespace vf {

class KernelRun;

// Ready to compute for one set of shapes. Shared by all runs of its plan: run() must be safe on several threads.
class VF_API Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(KernelRun& run) const = 0;
};

// A kernel from a callable void(KernelRun&); what it captures is its plan-time state.
template <class F>
std::unique_ptr<Kernel> kernel(F f) {
  struct Callable final : Kernel {
    explicit Callable(F function) : f(std::move(function)) {}
    void run(KernelRun& run) const override { f(run); }
    F f;
  };
  return std::make_unique<Callable>(std::move(f));
}

// A flag that stops a run from another thread, and the run's deadline. Thread-safe.
class VF_API Cancellation {
 public:
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  // Also cancelled when `parent` is; it must outlive this one. At most two.
  void link(const Cancellation* parent) { (parents_[0] ? parents_[1] : parents_[0]) = parent; }
  // Throws Cancelled or DeadlineExceeded.
  void check() const {
    if (cancelled() || (parents_[0] && parents_[0]->cancelled()) || (parents_[1] && parents_[1]->cancelled()) ||
        deadline_)
      stop();
  }

 private:
  void stop() const;
  std::atomic<bool> cancelled_{false};
  const Cancellation* parents_[2] = {nullptr, nullptr};
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

// Base of what lives in a session beside variables: random counters, queues, iterators, callbacks.
class VF_API Resource {
 public:
  virtual ~Resource() = default;
};

// A session's resources, keyed by container, name and type; shared by all plans. Thread-safe.
class VF_API Resources {
 public:
  virtual ~Resources() = default;
  virtual std::shared_ptr<Resource> get_or_create(const std::string& container, const std::string& name,
                                                  const std::string& type,
                                                  const std::function<std::shared_ptr<Resource>()>& make) = 0;
  template <class T, class Make>
  std::shared_ptr<T> get(const std::string& container, const std::string& name, const std::string& type, Make make) {
    auto r = std::dynamic_pointer_cast<T>(
        get_or_create(container, name, type, [&]() -> std::shared_ptr<Resource> { return make(); }));
    if (!r) throw Error(Code::InvalidArgument, "the resource " + name + " is not of type " + type);
    return r;
  }
};

// Plan-time facts of one node. Shapes are concrete.
class VF_API KernelMake {
 public:
  KernelMake(const Node& node, std::span<const Shape> input_shapes, std::span<const Tensor* const> constants,
             std::span<const Shape> output_shapes, int threads, bool deterministic, Resources* resources)
      : node_(node),
        input_shapes_(input_shapes),
        constants_(constants),
        output_shapes_(output_shapes),
        threads_(threads),
        deterministic_(deterministic),
        resources_(resources) {}
  const Node& node() const { return node_; }
  int num_inputs() const { return static_cast<int>(input_shapes_.size()); }
  int num_outputs() const { return static_cast<int>(output_shapes_.size()); }
  const Shape& input_shape(int i) const { return input_shapes_[static_cast<size_t>(i)]; }
  const Shape& output_shape(int i = 0) const { return output_shapes_[static_cast<size_t>(i)]; }
  DType input_dtype(int i) const { return node_.input(i).dtype(); }
  DType output_dtype(int i = 0) const { return node_.output_dtype(i); }
  // The input's value where it is known when the plan is made, else nullptr.
  // A make that returns nullptr after asking for an unknown value is called again once the value is there.
  const Tensor* constant(int i) const {
    if (!constants_[static_cast<size_t>(i)]) asked_ |= uint64_t{1} << (i & 63);
    return constants_[static_cast<size_t>(i)];
  }
  uint64_t asked() const { return asked_; }
  template <class T>
  const T& attr(std::string_view name) const {
    return node_.attr<T>(name);
  }
  // Threads that the kernel may use when it runs.
  int threads() const { return threads_; }
  bool deterministic() const { return deterministic_; }
  // Null where a value is computed while a plan is made; stateful ops are never.
  Resources* resources() const { return resources_; }

  // Asks for memory that run() gets as scratch(): uninitialized, 64-byte aligned, shared with nobody while it runs.
  void set_scratch(size_t bytes) { scratch_bytes_ = bytes; }
  size_t scratch_bytes() const { return scratch_bytes_; }
  // Says that `output` may take the memory of `input` (each element is read before it is written).
  void allow_in_place(int input, int output = 0) { in_place_.emplace_back(input, output); }
  const std::vector<std::pair<int, int>>& in_place() const { return in_place_; }
  [[noreturn]] void fail(const std::string& message) const;

 private:
  const Node& node_;
  std::span<const Shape> input_shapes_;
  std::span<const Tensor* const> constants_;
  std::span<const Shape> output_shapes_;
  int threads_;
  bool deterministic_;
  Resources* resources_;
  size_t scratch_bytes_ = 0;
  mutable uint64_t asked_ = 0;
  std::vector<std::pair<int, int>> in_place_;
};

// What run() gets: pointers that are ready. Inputs are read-only but for variables that the op writes, whose memory
// variable() gives: with the old value in it for an Update, uninitialized for an Overwrite.
class VF_API KernelRun {
 public:
  template <class T>
  const T* input(int i) const {
    return static_cast<const T*>(slots_[args_[i]]);
  }
  const void* input_raw(int i) const { return slots_[args_[i]]; }
  template <class T>
  T* output(int i = 0) const {
    return static_cast<T*>(slots_[args_[num_inputs_ + i]]);
  }
  void* output_raw(int i = 0) const { return slots_[args_[num_inputs_ + i]]; }
  template <class T>
  T* variable(int i) const {
    return static_cast<T*>(slots_[args_[i]]);
  }
  void* variable_raw(int i) const { return slots_[args_[i]]; }
  void* scratch() const { return scratch_; }
  // Gives an output whose shape only the run knows (ShapeContext::set_dynamic): every such output, once in each run.
  void set_output(int i, Tensor value) { made_[i] = std::move(value); }
  const Cancellation& cancellation() const { return *cancellation_; }

  // For those who run kernels (the executor, tests).
  // `made`, a tensor for each output, is needed where one of them has a shape that only the run knows.
  KernelRun(void* const* slots, const uint32_t* args, uint32_t num_inputs, void* scratch,
            const Cancellation* cancellation, Tensor* made = nullptr)
      : slots_(slots),
        args_(args),
        num_inputs_(num_inputs),
        scratch_(scratch),
        cancellation_(cancellation),
        made_(made) {}

 private:
  void* const* slots_;
  const uint32_t* args_;
  uint32_t num_inputs_;
  void* scratch_;
  const Cancellation* cancellation_;
  Tensor* made_;
};

}  // namespace vf
