#include "runtime/blocks.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/body_run.h"
#include "tensor/elements.h"
#include "tensor/visit.h"

namespace vf::runtime {
namespace {

// A scalar that is not zero or not the empty string; of another shape, one that has elements.
bool truth(DType dtype, const Shape& shape, const void* value) {
  if (shape.rank() != 0) return shape.num_elements() > 0;
  if (dtype == DType::String) return !static_cast<const std::string*>(value)->empty();
  return visit_number(dtype, [&]<class T>() { return !(*static_cast<const T*>(value) == T{}); });
}

// What the kernels of blocks share: a state for each run that is under way, kept for the next.
class BlockKernel : public Kernel {
 public:
  BlockKernel(const plan::Item& item, std::vector<std::shared_ptr<CompiledPlan>> plans, std::span<const Shape> inputs,
              std::vector<Shape> outputs, int threads)
      : block_(item.block), plans_(std::move(plans)), outputs_(std::move(outputs)), threads_(threads) {
    for (int i : block_->values) feed_shapes_.push_back(inputs[static_cast<size_t>(i)]);
    for (int o : block_->outputs) planned_.push_back(outputs_[static_cast<size_t>(o)]);
  }

 protected:
  struct State {
    std::vector<std::unique_ptr<BodyRun>> bodies;
    std::vector<const void*> feeds;
    std::vector<Shape> shapes;
    std::vector<void*> memory;
  };
  // A state for as long as one run of the block lasts.
  class Lease {
   public:
    explicit Lease(const BlockKernel& kernel) : kernel_(kernel) {
      {
        std::lock_guard lock(kernel.mutex_);
        if (!kernel.free_.empty()) {
          state_ = std::move(kernel.free_.back());
          kernel.free_.pop_back();
        }
      }
      if (!state_) state_ = kernel.make_state();
    }
    ~Lease() {
      std::lock_guard lock(kernel_.mutex_);
      kernel_.free_.push_back(std::move(state_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    State* operator->() const { return state_.get(); }

   private:
    const BlockKernel& kernel_;
    std::unique_ptr<State> state_;
  };

  // Points the feeds at the block's inputs.
  void bind(State& state, const KernelRun& run) const {
    for (size_t k = 0; k < block_->values.size(); ++k) state.feeds[k] = run.input_raw(block_->values[k]);
    state.shapes = feed_shapes_;
  }

  const std::shared_ptr<const plan::Block> block_;
  const std::vector<std::shared_ptr<CompiledPlan>> plans_;
  std::vector<Shape> feed_shapes_;
  const std::vector<Shape> outputs_;  // unknown where only the run knows
  std::vector<Shape> planned_;        // those of block_->outputs

 private:
  std::unique_ptr<State> make_state() const {
    auto state = std::make_unique<State>();
    for (const auto& plan : plans_) state->bodies.push_back(std::make_unique<BodyRun>(plan, threads_));
    state->feeds.resize(block_->values.size());
    state->memory.resize(block_->outputs.size());
    return state;
  }

  const int threads_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<State>> free_;
};

[[noreturn]] void shape_changed() {
  throw Error(Code::Aborted, "a variable changed its shape while the run was under way");
}

class BranchKernel final : public BlockKernel {
 public:
  BranchKernel(const plan::Item& item, std::vector<std::shared_ptr<CompiledPlan>> plans, std::span<const Shape> inputs,
               std::vector<Shape> outputs, int threads)
      : BlockKernel(item, std::move(plans), inputs, std::move(outputs), threads),
        condition_(item.node->input(0).dtype()),
        condition_shape_(inputs[0]),
        all_known_(std::all_of(planned_.begin(), planned_.end(), [](const Shape& s) { return s.fully_defined(); })) {}

  void run(KernelRun& run) const override {
    const RunArguments& around = *static_cast<StepRun&>(run).around;
    const Lease state(*this);
    BodyRun& body = *state->bodies[truth(condition_, condition_shape_, run.input_raw(0)) ? 0 : 1];
    bind(*state.operator->(), run);
    if (all_known_) {
      for (size_t k = 0; k < planned_.size(); ++k) state->memory[k] = run.output_raw(block_->outputs[k]);
      body.run({state->feeds, state->shapes}, around, state->memory.data(), planned_);
      return;
    }
    body.run({state->feeds, state->shapes}, around, nullptr, planned_);
    for (size_t k = 0; k < planned_.size(); ++k) {
      Tensor result = std::exchange(body.result(k), Tensor());
      if (!planned_[k].fully_defined()) {
        run.set_output(block_->outputs[k], std::move(result));
        continue;
      }
      if (!(result.shape() == planned_[k])) shape_changed();
      copy_elements(result.dtype(), result.raw(), run.output_raw(block_->outputs[k]), result.num_elements());
    }
  }

 private:
  const DType condition_;
  const Shape condition_shape_;
  const bool all_known_;
};

class LoopKernel final : public BlockKernel {
 public:
  LoopKernel(const plan::Item& item, std::vector<std::shared_ptr<CompiledPlan>> plans, std::span<const Shape> inputs,
             std::vector<Shape> outputs, int threads)
      : BlockKernel(item, std::move(plans), inputs, std::move(outputs), threads) {
    for (int o : block_->outputs) {
      const auto at = std::find(block_->values.begin(), block_->values.end(), o);
      feed_of_.push_back(static_cast<size_t>(at - block_->values.begin()));
      dtypes_.push_back(item.node->output_dtype(o));
    }
  }

  void run(KernelRun& run) const override {
    const RunArguments& around = *static_cast<StepRun&>(run).around;
    const Lease state(*this);
    BodyRun& condition = *state->bodies[0];
    BodyRun& body = *state->bodies[1];
    bind(*state.operator->(), run);
    bool turned = false;
    for (;; turned = true) {
      around.cancellation->check();
      const FeedValues feeds(state->feeds, state->shapes);
      condition.run(feeds, around, nullptr, planned_);
      const Tensor& go_on = condition.result(0);
      if (!truth(go_on.dtype(), go_on.shape(), go_on.raw())) break;
      body.run(feeds, around, nullptr, planned_);
      for (size_t j = 0; j < feed_of_.size(); ++j) {
        state->feeds[feed_of_[j]] = body.result(j).raw();
        state->shapes[feed_of_[j]] = body.result(j).shape();
      }
    }
    for (size_t j = 0; j < feed_of_.size(); ++j) {
      const void* value = state->feeds[feed_of_[j]];
      const Shape& shape = state->shapes[feed_of_[j]];
      if (planned_[j].fully_defined()) {
        if (!(shape == planned_[j])) shape_changed();
        copy_elements(dtypes_[j], value, run.output_raw(block_->outputs[j]), shape.num_elements());
      } else if (turned) {
        run.set_output(block_->outputs[j], std::exchange(body.result(j), Tensor()));
      } else {
        Tensor t(dtypes_[j], shape);
        copy_elements(dtypes_[j], value, t.raw(), t.num_elements());
        run.set_output(block_->outputs[j], std::move(t));
      }
    }
  }

 private:
  std::vector<size_t> feed_of_;  // the feed that each result becomes
  std::vector<DType> dtypes_;
};

// What is known of a body before it runs.
struct Outcome {
  std::vector<Shape> results;
  std::vector<Shape> variables;
};

// Nothing where the body's own shapes depend on the run, or where it could not run as things stand: perhaps it never
// does, and if it does, it says then what is wrong.
std::optional<Outcome> outcome(CompiledPlan& plan, const FeedValues& feeds, int threads,
                               const std::vector<Shape>& variable_shapes) {
  try {
    const auto prepared = plan.find(feeds, threads, &variable_shapes);
    if (prepared->segment->boundary) return {};
    Outcome o;
    for (const plan::Result& r : prepared->segment->results) o.results.push_back(r.shape);
    o.variables = prepared->segment->final_variable_shapes;
    return o;
  } catch (const Error&) {
    return {};
  }
}

// The shapes that the variables of the program around have after the body; unknown where nothing says.
std::vector<Shape> after(const plan::Body& body, const std::optional<Outcome>& outcome, const plan::Item& item,
                         const std::vector<Shape>& before) {
  std::vector<Shape> result = before;
  if (outcome) {
    for (size_t i = 0; i < body.variables.size(); ++i)
      result[static_cast<size_t>(body.variables[i])] = outcome->variables[i];
  } else {
    for (const plan::VariableAccess& a : item.accesses)
      if (a.access > Access::Read) result[static_cast<size_t>(a.variable)] = Shape::unknown();
  }
  return result;
}

}  // namespace

plan::BlockMaker::Made BodyPlans::make(const plan::Item& item, std::span<const Shape> inputs, int threads,
                                       std::vector<Shape>& variable_shapes) const {
  const plan::Block& block = *item.block;
  std::vector<const void*> nothing(block.values.size(), nullptr);
  std::vector<Shape> feed_shapes;
  for (int i : block.values) feed_shapes.push_back(inputs[static_cast<size_t>(i)]);
  std::vector<std::shared_ptr<CompiledPlan>> plans;
  std::vector<std::optional<Outcome>> outcomes;
  std::vector<std::vector<Shape>> variables;
  for (const plan::Body& body : block.bodies) {
    plans.push_back(plans_.at(body.program.get()));
    std::vector<Shape> before;
    for (int v : body.variables) before.push_back(variable_shapes[static_cast<size_t>(v)]);
    outcomes.push_back(outcome(*plans.back(), {nothing, feed_shapes}, threads, before));
    variables.push_back(after(body, outcomes.back(), item, variable_shapes));
  }
  bool fixed = outcomes[0] && outcomes[1];
  std::vector<Shape> outputs(static_cast<size_t>(item.node->num_outputs()), Shape::unknown());
  if (block.loop) {  // what a turn leaves as it is, any number of turns does
    for (size_t j = 0; fixed && j < block.outputs.size(); ++j)
      fixed = outcomes[1]->results[j] == inputs[static_cast<size_t>(block.outputs[j])];
    fixed = fixed && variables[0] == variable_shapes && variables[1] == variable_shapes;
    for (size_t j = 0; fixed && j < block.outputs.size(); ++j)
      outputs[static_cast<size_t>(block.outputs[j])] = outcomes[1]->results[j];
    variables[0] = variable_shapes;
  } else if (fixed) {
    for (size_t k = 0; k < block.outputs.size(); ++k)
      if (outcomes[0]->results[k] == outcomes[1]->results[k])
        outputs[static_cast<size_t>(block.outputs[k])] = outcomes[0]->results[k];
  }
  for (const plan::VariableAccess& a : item.accesses) {
    const auto v = static_cast<size_t>(a.variable);
    if (a.access <= Access::Read) continue;
    variable_shapes[v] = variables[0][v] == variables[1][v] ? variables[0][v] : Shape::unknown();
  }
  Made made;
  made.outputs = outputs;
  if (block.loop)
    made.kernel = std::make_unique<LoopKernel>(item, std::move(plans), inputs, std::move(outputs), threads);
  else
    made.kernel = std::make_unique<BranchKernel>(item, std::move(plans), inputs, std::move(outputs), threads);
  return made;
}

void BodyPlans::drop_idle() const {
  for (const auto& [program, plan] : plans_) plan->drop_idle();
}

size_t BodyPlans::bytes() const {
  size_t sum = 0;
  for (const auto& [program, plan] : plans_) sum += plan->bytes();
  return sum;
}

}  // namespace vf::runtime
