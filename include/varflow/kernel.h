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

class Kernel;
class KernelRun;

// How a kernel computes each element of its one result from the same element of its inputs: a plan can then run a chain
// of such kernels over a few elements at a time, which stay in the cache.
struct ElementwiseLoop {
  using Unary = void (*)(const void* x, void* y, int64_t n);
  using Binary = void (*)(const void* a, const void* b, void* y, int64_t n);
  Unary unary = nullptr;  // one of the two; y may be an operand of the same element size
  Binary binary = nullptr;
  bool copies = false;       // unary, and the result is the operand
  int first_operand = 0;     // the input that is x, or a; b is the next
  int64_t elements = 0;      // of the result
  size_t operand_bytes = 0;  // of an element
  size_t result_bytes = 0;
  bool single_a = false;  // the operand is one element, which the loop reads again and again
  bool single_b = false;
};

// Two kernels of a plan, of which one reads what the other, its producer, makes.
class VF_API Producer {
 public:
  Producer(const Kernel& kernel, bool only_use) : kernel_(kernel), only_use_(only_use) {}
  virtual ~Producer() = default;
  const Kernel& kernel() const { return kernel_; }
  // Whether nobody else reads what it makes.
  bool only_use() const { return only_use_; }
  // Whether an input of the reader and an input of the producer are one value.
  virtual bool same_input(int of_reader, int of_producer) const = 0;

 private:
  const Kernel& kernel_;
  bool only_use_;
};

// Ready to compute for one set of shapes. Shared by all runs of its plan: run() must be safe on several threads.
class VF_API Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(KernelRun& run) const = 0;
  // Null where it is no elementwise computation. The result is output 0, or the variable behind input 0 where the op
  // writes it.
  virtual const ElementwiseLoop* elementwise() const { return nullptr; }
  // A kernel that also does the work of the one that makes this input, where that is faster; else nullptr. Its inputs
  // are those of this one, without this input (which is not given), and then all of the producer's.
  virtual std::unique_ptr<Kernel> absorb(int, const Producer&) const { return nullptr; }
  // What absorb() gives asks for its scratch memory so; KernelMake::set_scratch speaks for the kernels of an op.
  virtual size_t absorbed_scratch_bytes() const { return 0; }
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

// The same, for one that is elementwise.
template <class F>
std::unique_ptr<Kernel> kernel(const ElementwiseLoop& loop, F f) {
  struct Callable final : Kernel {
    Callable(const ElementwiseLoop& l, F function) : f(std::move(function)), loop(l) {}
    void run(KernelRun& run) const override { f(run); }
    const ElementwiseLoop* elementwise() const override { return &loop; }
    F f;
    ElementwiseLoop loop;
  };
  return std::make_unique<Callable>(loop, std::move(f));
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
  // What is saved beside a checkpoint, in a form of the type's own; nullopt: nothing. May be called while runs use it.
  virtual std::optional<std::string> save() const { return std::nullopt; }
  // Takes back what save() gave; throws, and changes nothing, where it is something else.
  virtual void restore(const std::string& bytes) {
    throw Error(Code::Unimplemented, "a resource that cannot be restored (" + std::to_string(bytes.size()) + " bytes)");
  }
};

// What was saved of one resource.
struct ResourceState {
  std::string container;
  std::string name;
  std::string type;
  std::string bytes;
  friend bool operator==(const ResourceState&, const ResourceState&) = default;
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

// How exactly floats are computed with. A convolution's rounding error, 2-norm by 2-norm, is about 1e-7 by the sums of
// its definition; by Winograd's algorithms, which multiply less, up to what is said here.
enum class Precision : uint8_t {
  Medium,   // 1.5e-6
  High,     // 5e-7
  Highest,  // by the sums of the definition
};

// What a session asks of its kernels.
struct KernelOptions {
  int threads = 1;             // that a kernel may use when it runs
  bool deterministic = false;  // same bits for any number of threads
  Precision precision = Precision::High;
};

// Plan-time facts of one node. Shapes are concrete.
class VF_API KernelMake {
 public:
  KernelMake(const Node& node, std::span<const Shape> input_shapes, std::span<const Tensor* const> constants,
             std::span<const Shape> output_shapes, const KernelOptions& options, Resources* resources)
      : node_(node),
        input_shapes_(input_shapes),
        constants_(constants),
        output_shapes_(output_shapes),
        options_(options),
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
  int threads() const { return options_.threads; }
  bool deterministic() const { return options_.deterministic; }
  Precision precision() const { return options_.precision; }
  // Null where a value is computed while a plan is made; stateful ops are never.
  Resources* resources() const { return resources_; }

  // Asks for memory that run() gets as scratch(): uninitialized, 64-byte aligned, shared with nobody while it runs.
  void set_scratch(size_t bytes) { scratch_bytes_ = bytes; }
  size_t scratch_bytes() const { return scratch_bytes_; }
  // Says that `output` may take the memory of `input` (each element is read before it is written).
  void allow_in_place(int input, int output = 0) { in_place_.emplace_back(input, output); }
  const std::vector<std::pair<int, int>>& in_place() const { return in_place_; }
  // True where input i is a variable's value as it was read: it can be kept in another layout, from run to run for as
  // long as the variable does not change.
  bool reads_variable(int i) const { return i < 64 && (variable_reads_ >> i & 1) != 0; }
  // Asks that run() gets input i in this layout in place of C order; only where reads_variable(i), by a make function
  // that then returns its kernel.
  void prefer_layout(int input, std::shared_ptr<const MemoryLayout> layout) {
    layouts_.emplace_back(input, std::move(layout));
  }
  const std::vector<std::pair<int, std::shared_ptr<const MemoryLayout>>>& layouts() const { return layouts_; }
  // For who makes plans.
  void set_variable_reads(uint64_t inputs) { variable_reads_ = inputs; }
  [[noreturn]] void fail(const std::string& message) const;

 private:
  const Node& node_;
  std::span<const Shape> input_shapes_;
  std::span<const Tensor* const> constants_;
  std::span<const Shape> output_shapes_;
  KernelOptions options_;
  Resources* resources_;
  size_t scratch_bytes_ = 0;
  mutable uint64_t asked_ = 0;
  std::vector<std::pair<int, int>> in_place_;
  uint64_t variable_reads_ = 0;
  std::vector<std::pair<int, std::shared_ptr<const MemoryLayout>>> layouts_;
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
