#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "varflow/export.h"
#include "varflow/graph.h"
#include "varflow/variables.h"

namespace vf {

struct MinimizeOptions {
  Variable global_step = {};            // counted up after the updates, where given
  std::vector<Variable> var_list = {};  // default: the graph's trainable variables
  std::string name = {};                // default: the optimizer's
};

// TensorFlow's tf.train optimizers: slots, hyperparameters, update nodes and names are as there
// (docs/differences.md says what is not). One object may be used once a graph.
class VF_API Optimizer {
 public:
  using GradientAndVariable = std::pair<Output, Variable>;
  virtual ~Optimizer();
  // Gradients of the loss; null where a variable does not reach it.
  std::vector<GradientAndVariable> compute_gradients(const Output& loss, std::vector<Variable> var_list = {}) const;
  // The op that runs all updates. InvalidArgument where no variable has a gradient.
  Node* apply_gradients(const std::vector<GradientAndVariable>& gradients, const MinimizeOptions& options = {});
  Node* minimize(const Output& loss, const MinimizeOptions& options = {});
  // The slot `name` ("momentum", "m", "v") of a variable; empty where there is none.
  Variable get_slot(const Variable& variable, const std::string& name) const;
  const std::string& name() const { return name_; }

 protected:
  explicit Optimizer(std::string name) : name_(std::move(name)) {}
  // Made once a graph, before the updates: hyperparameters, and variables that belong to no one variable.
  virtual void create_slots(const std::vector<Variable>& variables) = 0;
  virtual void prepare(Graph& graph) = 0;
  virtual Node* apply(const Output& gradient, const Variable& variable) = 0;
  // What runs after all updates, in their name scope.
  virtual std::vector<Node*> finish(Graph& graph, const std::vector<Node*>& updates);
  Variable zeros_slot(const Variable& variable, const std::string& slot, const std::string& variable_name);
  Output hyperparameter(Graph& graph, float value, const std::string& name) const;

 private:
  std::string name_;
  std::vector<std::pair<std::pair<std::string, std::string>, Variable>> slots_;  // (variable, slot)
};

class VF_API GradientDescentOptimizer : public Optimizer {
 public:
  explicit GradientDescentOptimizer(float learning_rate, std::string name = "GradientDescent");

 protected:
  void create_slots(const std::vector<Variable>&) override {}
  void prepare(Graph& graph) override;
  Node* apply(const Output& gradient, const Variable& variable) override;

 private:
  float learning_rate_;
  Output rate_;
};

class VF_API MomentumOptimizer : public Optimizer {
 public:
  MomentumOptimizer(float learning_rate, float momentum, bool use_nesterov = false, std::string name = "Momentum");

 protected:
  void create_slots(const std::vector<Variable>& variables) override;
  void prepare(Graph& graph) override;
  Node* apply(const Output& gradient, const Variable& variable) override;

 private:
  float learning_rate_;
  float momentum_;
  bool nesterov_;
  Output rate_;
  Output momentum_node_;
};

class VF_API AdamOptimizer : public Optimizer {
 public:
  explicit AdamOptimizer(float learning_rate = 0.001F, float beta1 = 0.9F, float beta2 = 0.999F, float epsilon = 1e-8F,
                         std::string name = "Adam");

 protected:
  void create_slots(const std::vector<Variable>& variables) override;
  void prepare(Graph& graph) override;
  Node* apply(const Output& gradient, const Variable& variable) override;
  std::vector<Node*> finish(Graph& graph, const std::vector<Node*>& updates) override;

 private:
  float learning_rate_;
  float beta1_;
  float beta2_;
  float epsilon_;
  Variable beta1_power_;
  Variable beta2_power_;
  Output rate_;
  Output beta1_node_;
  Output beta2_node_;
  Output epsilon_node_;
};

}  // namespace vf
