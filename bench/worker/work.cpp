#include "worker/work.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "varflow/error.h"

namespace vf::bench {
namespace {

constexpr int64_t kSettle = 2;  // steps after each restore that are not timed

}  // namespace

double RepeatedWork::measure(int64_t warm, int64_t steps) {
  repeat(warm);
  return repeat(steps);
}

double RepeatedWork::repeat(int64_t steps) {
  using Clock = std::chrono::steady_clock;
  double seconds = 0;
  while (steps > 0) {
    restore();
    for (int64_t i = 0; i < kSettle; ++i) step();
    const int64_t now = std::min(steps, longest_);
    const auto begin = Clock::now();
    for (int64_t i = 0; i < now; ++i) step();
    seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    steps -= now;
  }
  return seconds;
}

std::unique_ptr<Work> make_work(const std::string& row, const WorkOptions& options) {
  using Make = std::function<std::unique_ptr<Work>(const WorkOptions&)>;
  static const std::map<std::string, Make> makers = {
      {"mlp", make_mlp},
      {"lenet", [](const WorkOptions& o) { return make_lenet(o, false); }},
      {"lenet_deterministic", [](const WorkOptions& o) { return make_lenet(o, true); }},
      {"resnet18", make_resnet18},
      {"adam", make_adam},
      {"scale_kernel", [](const WorkOptions& o) { return make_scale_kernel(o, false); }},
      {"scale_kernel_prepared", [](const WorkOptions& o) { return make_scale_kernel(o, true); }},
      {"adjust_kernel", make_adjust_kernel},
      {"chain", make_chain},
      {"sizes", make_sizes},
      {"plan_1000", [](const WorkOptions& o) { return make_plan(o, 1'000); }},
      {"plan_10000", [](const WorkOptions& o) { return make_plan(o, 10'000); }},
      {"plan_100000", [](const WorkOptions& o) { return make_plan(o, 100'000); }},
  };
  const auto it = makers.find(row);
  if (it == makers.end()) throw Error(Code::InvalidArgument, "no row '" + row + "'");
  return it->second(options);
}

}  // namespace vf::bench
