#include "plan/tape.h"

#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "cpu/elementwise.h"

namespace vf::plan {
namespace {

class TapeKernel final : public Kernel {
 public:
  TapeKernel(Tape tape, int threads)
      : tape_(std::move(tape)),
        threads_(threads),
        tile_(static_cast<int64_t>(Tape::kRegisterBytes / tape_.most_bytes)),
        grain_(std::max<int64_t>(tile_, cpu::kGrain / static_cast<int64_t>(tape_.instructions.size()))) {}

  void run(KernelRun& run) const override {
    parallel_for(threads_, tape_.elements, grain_, [&](int64_t begin, int64_t end) { tiles(run, begin, end); });
  }

 private:
  void tiles(const KernelRun& run, int64_t begin, int64_t end) const {
    alignas(64) std::array<std::array<char, Tape::kRegisterBytes>, Tape::kMostRegisters> registers;
    char* const result =
        static_cast<char*>(tape_.result_variable >= 0 ? run.variable_raw(tape_.result_variable) : run.output_raw());
    for (int64_t at = begin; at < end; at += tile_) {
      const int64_t count = std::min(tile_, end - at);
      const auto read = [&](const TapePlace& p) -> const void* {
        if (p.kind == TapePlace::Register) return registers[p.index].data();
        const auto* input = static_cast<const char*>(run.input_raw(p.index));
        return p.single ? input : input + static_cast<size_t>(at) * p.bytes;
      };
      for (const TapeInstruction& i : tape_.instructions) {
        void* to = i.result.kind == TapePlace::Register ? registers[i.result.index].data()
                                                        : result + static_cast<size_t>(at) * i.result.bytes;
        if (i.unary)
          i.unary(read(i.a), to, count);
        else
          i.binary(read(i.a), read(i.b), to, count);
      }
    }
  }

  const Tape tape_;
  const int threads_;
  const int64_t tile_;
  const int64_t grain_;
};

}  // namespace

std::unique_ptr<Kernel> tape_kernel(Tape tape, int threads) {
  return std::make_unique<TapeKernel>(std::move(tape), threads);
}

}  // namespace vf::plan
