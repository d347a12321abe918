#pragma once
// The mini-language of op signatures: "values: N * T", "T: {half, float} = DT_FLOAT", "strides: list(int)", ...
#include <string>

#include "varflow/op.h"

namespace vf {

// Both throw InvalidArgument with the spec in the text.
ArgSpec parse_arg(const std::string& spec);
AttrSpec parse_attr(const std::string& spec);
std::string print_arg(const ArgSpec& arg);
std::string print_attr(const AttrSpec& attr);

}  // namespace vf
