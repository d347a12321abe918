#pragma once
#include "cpu/elementwise.h"
#include "ops/elements.h"
#include "varflow/op.h"

namespace vf {

void register_reference_variable_ops(OpRegistry& r);
void register_resource_variable_ops(OpRegistry& r);
void register_scatter_ops(OpRegistry& r);  // also ResourceGather and VariableShape

// A kernel that changes the variable of input 0 in place: variable = op(variable, input 1), same shapes.
KernelFunction update_variable(cpu::BinaryOp op);
// Kernels of both kinds' assign (the variable of input 0 = input 1) and of their question whether it has a value.
std::unique_ptr<Kernel> assign_variable(KernelMake& m);
std::unique_ptr<Kernel> ask_initialized(KernelMake& m);

}  // namespace vf
