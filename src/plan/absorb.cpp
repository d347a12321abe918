#include "plan/absorb.h"

#include "plan/step_uses.h"

namespace vf::plan {
namespace {

class StepProducer final : public Producer {
 public:
  StepProducer(const Segment& segment, const Step& reader, const Step& producer, bool only_use)
      : Producer(*producer.kernel, only_use), segment_(segment), reader_(reader), producer_(producer) {}
  bool same_input(int of_reader, int of_producer) const override {
    const uint32_t slot = segment_.args[reader_.first_arg + static_cast<uint32_t>(of_reader)];
    return slot != kNone && slot == segment_.args[producer_.first_arg + static_cast<uint32_t>(of_producer)];
  }

 private:
  const Segment& segment_;
  const Step& reader_;
  const Step& producer_;
};

}  // namespace

void absorb(Segment& s, std::vector<InPlace>& in_place, std::vector<size_t>& scratch) {
  StepUses uses(s);
  std::vector<char> keep(s.steps.size(), 1);
  bool changed = false;
  for (size_t j = 0; j < s.steps.size(); ++j) {
    Step& reader = s.steps[j];
    if (!reader.kernel) continue;
    for (uint32_t k = 0; k < reader.num_inputs; ++k) {
      const uint32_t slot = s.args[reader.first_arg + k];
      const int i = slot == kNone ? -1 : uses.producer(slot);
      if (i < 0) continue;
      Step& producer = s.steps[static_cast<size_t>(i)];
      if (!producer.kernel || producer.num_writes > 0 || producer.num_outputs != 1 ||
          uses.reads_what_is_written_before(i, static_cast<int>(j)))
        continue;
      std::unique_ptr<Kernel> both =
          reader.kernel->absorb(static_cast<int>(k), StepProducer(s, reader, producer, uses.uses(slot) == 1));
      if (!both) continue;
      uses.remove_reads(reader);
      std::vector<uint32_t> args(s.args.begin() + reader.first_arg,
                                 s.args.begin() + reader.first_arg + reader.num_inputs);
      args[k] = kNone;
      args.insert(args.end(), s.args.begin() + producer.first_arg,
                  s.args.begin() + producer.first_arg + producer.num_inputs);
      const auto outputs = s.args.begin() + reader.first_arg + reader.num_inputs;
      const auto num_inputs = static_cast<uint32_t>(args.size());
      args.insert(args.end(), outputs, outputs + reader.num_outputs);
      reader.first_arg = static_cast<uint32_t>(s.args.size());
      reader.num_inputs = num_inputs;
      s.args.insert(s.args.end(), args.begin(), args.end());
      uses.add_reads(reader);
      scratch[j] = both->absorbed_scratch_bytes();
      reader.kernel = std::move(both);
      if (uses.uses(slot) == 0) {
        uses.remove_reads(producer);
        keep[static_cast<size_t>(i)] = 0;
      }
      changed = true;
    }
  }
  if (changed) keep_steps(s, keep, in_place, scratch);
}

}  // namespace vf::plan
