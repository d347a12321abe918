#pragma once
#include <chrono>
#include <concepts>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "varflow/error.h"
#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/kernel.h"
#include "varflow/tensor.h"

namespace vf {

// What a run returns: an output's value, or nothing (an invalid Tensor) for a node that is only run.
class VF_API Fetch {
 public:
  Fetch(Output output) : output_(output) {}
  Fetch(Node* node) : node_(node) {}
  template <class T>
  requires(std::is_convertible_v<T, Output>&& std::is_class_v<T> && !std::is_same_v<T, Output>) Fetch(const T& variable)
      : output_(fetched(variable)) {}
  const Output& output() const { return output_; }  // null for a node
  Node* node() const { return node_; }

 private:
  template <class T>
  static Output fetched(const T& variable) {
    if constexpr (requires { variable.fetched_output(); })
      return variable.fetched_output();
    else
      return static_cast<Output>(variable);
  }
  Output output_;
  Node* node_ = nullptr;
};
using Fetches = std::vector<Fetch>;
// Values that take the place of outputs, placeholders or not. Read-only during the run, of any alignment.
using Feeds = std::vector<std::pair<Output, Tensor>>;

// What names a variable: its reference or handle, an Identity chain of a reference, or a Variable.
class VF_API VariableName {
 public:
  VariableName(Output output) : output_(output) {}
  template <class T>
  requires requires(const T& v) {
    { v.ref() } -> std::convertible_to<Output>;
  }
  VariableName(const T& variable) : output_(variable.ref()) {}
  const Output& output() const { return output_; }

 private:
  Output output_;
};

enum class LogLevel { Info, Warning, Error };
struct LogRecord {
  LogLevel level;
  std::string text;
  std::string node;  // empty where none is concerned
};

// One step of a run, for traces.
struct TraceRecord {
  const Node* node;
  bool read;         // a read of a variable for the node
  int64_t begin_ns;  // since the run started
  int64_t end_ns;
};

struct SessionOptions {
  int threads = 0;                                 // for the work inside one op; 0: as many as the machine has cores
  bool deterministic = false;                      // same bits for any number of threads
  Precision precision = Precision::High;           // of floats (kernel.h)
  size_t cache_limit = size_t{512} << 20;          // bytes that plans may keep between runs; as many for packed weights
  std::chrono::nanoseconds time_limit{0};          // of one run; 0: none. DeadlineExceeded
  std::function<void(const LogRecord&)> log = {};  // the only way out for messages; silent where empty
  std::function<void(const TraceRecord&)> trace = {};  // called on the run's thread after each step
  bool find_nan = false;  // a run fails with the first node and step whose result has a NaN or an infinity
};

// Access that TensorFlow orders by chance, and Varflow by the graph's order (docs/differences.md).
struct Hazard {
  std::string variable;
  std::string first;  // runs first in Varflow
  std::string second;
  bool first_writes;
  bool second_writes;
};

// What each write to a variable does to the new value before anyone sees it.
struct Constraint {
  // Changes the value in place: its elements, not its shape; called by any thread that writes, with the variable
  // locked: it must not use the session, nor keep the tensor. What it throws fails the write; the old value stays.
  std::function<void(Tensor& value)> project = {};
  // Then elements outside of [low, high] become its bounds; of floating-point variables.
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool clips() const {
    return low > -std::numeric_limits<double>::infinity() || high < std::numeric_limits<double>::infinity();
  }
};

namespace runtime {
class SessionState;
}

// Ready to run again and again: no lookup but the arguments' shapes. Keeps its session's state alive.
class VF_API Callable {
 public:
  // One tensor for each of the feeds that it was made with, in that order.
  std::vector<Tensor> operator()(const std::vector<Tensor>& feeds = {}) const;
  struct Impl;

 private:
  friend class Session;
  explicit Callable(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

namespace runtime {
class SuspendedRun;
}

// A run in parts (TensorFlow's partial_run): each step runs once, as soon as what it needs was fed; steps that need no
// feed do when it is set up. Values are kept between, and so is the version of a variable that a step read: writes of
// other runs do not change what was computed. One call at a time. It ends with its last fetch and feed, or an error of
// a step. Keeps its session's state alive.
class VF_API PartialRun {
 public:
  // Fetches are some of those that it was set up with, each once; so are the feeds. InvalidArgument, with TensorFlow's
  // texts, where they are not, or where a fetch needs feeds that are still missing: nothing has run then.
  std::vector<Tensor> run(const Fetches& fetches, const Feeds& feeds = {});
  std::vector<Tensor> run(std::initializer_list<Fetch> fetches, const Feeds& feeds = {}) {
    return run(Fetches(fetches), feeds);
  }
  Tensor run(const Fetch& fetch, const Feeds& feeds = {}) { return std::move(run(Fetches{fetch}, feeds)[0]); }

 private:
  friend class Session;
  explicit PartialRun(std::shared_ptr<runtime::SuspendedRun> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<runtime::SuspendedRun> impl_;
};

// Runs a graph against variables of its own. All methods may be called from several threads at once: each access to a
// variable is atomic; whole runs are not. The graph may grow between and during runs; it must outlive the session.
class VF_API Session {
 public:
  explicit Session(Graph& graph, SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Fetched tensors are the caller's own: nothing changes them afterwards.
  std::vector<Tensor> run(const Fetches& fetches, const Feeds& feeds = {});
  std::vector<Tensor> run(std::initializer_list<Fetch> fetches, const Feeds& feeds = {}) {
    return run(Fetches(fetches), feeds);
  }
  Tensor run(const Fetch& fetch, const Feeds& feeds = {});
  // As above; `cancellation` stops it from another thread: every variable is then wholly before or after each write.
  std::vector<Tensor> run(const Fetches& fetches, const Feeds& feeds, Cancellation& cancellation);
  Callable make_callable(const Fetches& fetches, const std::vector<Output>& feeds = {});

  // A run of `fetches` (outputs, not nodes) that gets its feeds in parts.
  PartialRun partial_run_setup(const Fetches& fetches, const std::vector<Output>& feeds = {});

  // Direct writes: all or nothing, no new nodes. Shape and dtype must be the variable's.
  void set(const std::vector<std::pair<VariableName, Tensor>>& values);
  template <class Name>
  requires std::convertible_to<Name, VariableName>
  void set(const std::vector<std::pair<Name, Tensor>>& values) {
    set(std::vector<std::pair<VariableName, Tensor>>(values.begin(), values.end()));
  }
  // The variable's value, a copy; FailedPrecondition where it is uninitialized.
  Tensor get(const VariableName& variable);
  // Those of many, at one instant.
  std::vector<Tensor> get(const std::vector<VariableName>& variables);
  // The variable's present version without a copy: read-only, pinned; later writes do not touch it.
  Tensor view(const VariableName& variable);

  // Freezes elements of a variable: `mask` is a bool tensor of its shape, true where it may change. Whatever writes the
  // variable in this session (assigns, scatters, optimizers, initializers, set, restored checkpoints), a frozen element
  // keeps the bits that it has now, or those of the first value where there is none yet.
  void set_mask(const VariableName& variable, const Tensor& mask);
  void clear_mask(const VariableName& variable);
  // The mask; an invalid tensor where there is none.
  Tensor mask(const VariableName& variable);
  // Holds for the present value and for all that are written later, but for frozen elements.
  void set_constraint(const VariableName& variable, Constraint constraint);
  void clear_constraint(const VariableName& variable);

  // The state of what lives in the session beside variables: the counters of random ops, and what user kernels keep.
  std::vector<ResourceState> save_resources() const;
  // All or nothing. States of resources that no plan has made yet wait for them.
  void restore_resources(const std::vector<ResourceState>& states);

  // Every pair of accesses that TensorFlow would have left to chance in such a run. Runs nothing.
  std::vector<Hazard> hazards(const Fetches& fetches, const std::vector<Output>& feeds = {});

  // Runs after this fail with "Attempted to use a closed Session."; those under way are cancelled.
  void close();
  Graph& graph() const;

 private:
  friend struct SessionAccess;  // tests reach the state through it
  std::shared_ptr<runtime::SessionState> state_;
};

}  // namespace vf
