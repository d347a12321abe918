#pragma once
// If and While run the plans of their bodies.
#include <map>
#include <memory>

#include "plan/blocks.h"
#include "runtime/variable_store.h"

namespace vf::runtime {

class CompiledPlan;

// The compiled bodies of a plan's blocks.
class BodyPlans : public plan::BlockMaker {
 public:
  // Those of all plans that were made for one signature: equal programs share one.
  using Plans = std::map<const plan::Program*, std::shared_ptr<CompiledPlan>>;

  // `compile` makes the plan of a body that `made` does not have yet.
  template <class Compile>
  BodyPlans(const plan::Program& program, Plans& made, Compile compile) {
    for (const plan::Item& item : program.items) {
      if (!item.block) continue;
      for (const plan::Body& body : item.block->bodies) {
        auto& plan = made[body.program.get()];
        if (!plan) plan = compile(body.program);
        plans_[body.program.get()] = plan;
      }
    }
  }

  Made make(const plan::Item& item, std::span<const Shape> inputs, int threads,
            std::vector<Shape>& variable_shapes) const override;
  size_t bytes() const;
  void drop_idle() const;

 private:
  Plans plans_;
};

}  // namespace vf::runtime
