#pragma once
// A chain of elementwise loops, run over tiles of elements that stay in the first-level cache.
#include <cstdint>
#include <memory>
#include <vector>

#include "varflow/kernel.h"

namespace vf::plan {

// Where an instruction reads an operand or puts its result.
struct TapePlace {
  enum Kind : uint8_t { Input, Register, Result };
  Kind kind = Input;
  uint16_t index = 0;   // of the step's inputs, or of the registers
  bool single = false;  // an input of one element
  uint32_t bytes = 0;   // of an element
};

struct TapeInstruction {
  ElementwiseLoop::Unary unary = nullptr;  // one of the two
  ElementwiseLoop::Binary binary = nullptr;
  TapePlace a, b, result;
};

struct Tape {
  static constexpr int kMostRegisters = 8;
  static constexpr size_t kRegisterBytes = 4096;
  std::vector<TapeInstruction> instructions;  // in order; the last one, and no other, has Result as its result
  int64_t elements = 0;
  uint32_t most_bytes = 1;   // of an element that a register holds
  int result_variable = -1;  // the input whose variable takes the result; -1: output 0
};

std::unique_ptr<Kernel> tape_kernel(Tape tape, int threads);

}  // namespace vf::plan
