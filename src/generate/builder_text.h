#pragma once
#include <string>

#include "varflow/op.h"

namespace vf::generate {

struct BuilderText {
  std::string header;
  std::string source;
};

// One function for each op of the family. Tensor inputs are Operands, references Outputs, lists vectors of Operands;
// attributes that neither the inputs nor a default give follow; the rest are members of `NameOptions`. A function
// whose name the hand-written API has ends in `_op`.
BuilderText builders_of(const OpRegistry& registry, const std::string& family);

}  // namespace vf::generate
