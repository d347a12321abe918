#pragma once
// Arithmetic on outputs and variables, with numbers on either side; nodes are named as TensorFlow's overloads name
// them.
#include <type_traits>

#include "varflow/export.h"
#include "varflow/graph.h"

namespace vf {

template <class T>
concept GraphValue = std::is_same_v<T, Output> ||(std::is_class_v<T>&& std::is_convertible_v<T, Output>);

#define VF_OPERATOR(symbol, op, name)                                                                                \
  template <class A, class B>                                                                                        \
  requires((GraphValue<A> || GraphValue<B>)&&std::is_convertible_v<A, Operand> && std::is_convertible_v<B, Operand>) \
      Output                                                                                                         \
      operator symbol(const A& a, const B& b) {                                                                      \
    return make(op, {Operand(a), Operand(b)}, {}, name);                                                             \
  }
VF_OPERATOR(+, "AddV2", "add")
VF_OPERATOR(-, "Sub", "sub")
VF_OPERATOR(*, "Mul", "mul")
VF_OPERATOR(/, "RealDiv", "truediv")
#undef VF_OPERATOR

template <GraphValue A>
Output operator-(const A& a) {
  return make("Neg", {Operand(a)}, {}, "Neg");
}

}  // namespace vf
