// The text file "checkpoint". What is taken is written again and must come back as it was.
#include <cstdlib>

#include "io/checkpoint_state_text.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto state = vf::io::parse_checkpoint_state(vf::fuzz::bytes_of(data, size));
  if (!state) return 0;
  const auto again = vf::io::parse_checkpoint_state(vf::io::format_checkpoint_state(*state));
  if (!again || again->newest != state->newest || again->all != state->all) std::abort();
  return 0;
}
