#include "runtime/observers.h"

#include <cmath>

#include "tensor/visit.h"

namespace vf::runtime {

void Tracer::before(const plan::Step&) {
  begin_ns_ = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
}

void Tracer::after(const plan::Segment&, const plan::Step& step, void* const*) {
  const int64_t end =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
  sink_({step.node, step.kernel == nullptr, begin_ns_, end});
}

void NanFinder::after(const plan::Segment& segment, const plan::Step& step, void* const* slots) {
  for (uint32_t o = 0; o < step.num_outputs; ++o) {
    const uint32_t id = segment.args[step.first_arg + step.num_inputs + o];
    if (id == plan::kNone || !is_floating(segment.slots[id].dtype)) continue;
    const plan::Slot& slot = segment.slots[id];
    const int64_t n = slot.shape.num_elements();
    visit_number(slot.dtype, [&]<class T>() {
      const T* values = static_cast<const T*>(slots[id]);
      for (int64_t i = 0; i < n; ++i)
        if (!std::isfinite(convert<double>(values[i])))
          throw Error(Code::InvalidArgument, "output " + std::to_string(o) + " is not finite at element " +
                                                 std::to_string(i) + " (step " + std::to_string(steps_) +
                                                 " of the run)");
    });
  }
}

}  // namespace vf::runtime
