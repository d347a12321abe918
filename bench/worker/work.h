#pragma once
// A piece of work that is measured: what one row of the benchmark repeats.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "varflow/tensor.h"

namespace vf::bench {

using Arrays = std::map<std::string, Tensor>;  // by name

class Work {
 public:
  virtual ~Work() = default;
  // What the other programs must start from to do the same work: starting values of variables by their names, and what
  // each step is fed as "feed/NAME".
  virtual Arrays start() = 0;
  // From the start again: what the first few steps compute. Names that are in start() hold the changed value.
  virtual Arrays answer() = 0;
  // Seconds that `steps` steps take after `warm` steps that are not counted.
  virtual double measure(int64_t warm, int64_t steps) = 0;
};

// Work that repeats one step. Every so often it goes back to the start, without being timed, so that values stay those
// of real work: no loss that reaches zero, no denormal numbers.
class RepeatedWork : public Work {
 public:
  double measure(int64_t warm, int64_t steps) override;

 protected:
  explicit RepeatedWork(int64_t longest) : longest_(longest) {}
  virtual void restore() = 0;
  virtual void step() = 0;

 private:
  double repeat(int64_t steps);
  const int64_t longest_;  // steps between two restores
};

struct WorkOptions {
  int threads = 2;
  // Divides sizes (batches, numbers of parameters and nodes), so that tests are quick.
  int64_t shrink = 1;
};

// The work of a row, by its name; InvalidArgument where there is no such row.
std::unique_ptr<Work> make_work(const std::string& row, const WorkOptions& options);

std::unique_ptr<Work> make_mlp(const WorkOptions& options);
std::unique_ptr<Work> make_lenet(const WorkOptions& options, bool deterministic);
std::unique_ptr<Work> make_resnet18(const WorkOptions& options);
std::unique_ptr<Work> make_adam(const WorkOptions& options);
std::unique_ptr<Work> make_scale_kernel(const WorkOptions& options, bool prepared);
std::unique_ptr<Work> make_adjust_kernel(const WorkOptions& options);
std::unique_ptr<Work> make_chain(const WorkOptions& options);
std::unique_ptr<Work> make_sizes(const WorkOptions& options);
std::unique_ptr<Work> make_plan(const WorkOptions& options, int64_t nodes);

}  // namespace vf::bench
