#pragma once
#include <memory>

#include "varflow/graph.h"
#include "varflow/session.h"
#include "varflow/variables.h"
#include "worker/work.h"

namespace vf::bench {

// Steps from the start whose result is compared: enough that an optimizer's slots matter; training is chaotic.
constexpr int kCheckedSteps = 2;

// Work in one session of one graph, from the values that the variables had when it was ready.
class SessionWork : public RepeatedWork {
 public:
  Arrays start() override;

 protected:
  explicit SessionWork(int64_t longest) : RepeatedWork(longest) {}
  // Opens the session and initializes the graph's variables. Of them, `shared` are what other programs start from and
  // what is compared; the others (an optimizer's slots) start from zeros there.
  void open(const SessionOptions& options, std::vector<Variable> shared);
  void restore() override;
  Arrays shared_values();

  Graph graph_;
  std::unique_ptr<Session> session_;
  Arrays feeds_;  // "feed/NAME"

 private:
  std::vector<Variable> shared_;
  std::vector<std::pair<Output, Tensor>> initial_;
};

}  // namespace vf::bench
