#include "cpu/elementwise.h"

#include <algorithm>
#include <string>

#include "base/parallel.h"
#include "cpu/elementwise_kernels.h"
#include "tensor/visit.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(UnaryKernels, unary_kernels)
VF_ISA_TABLES(BinaryKernels, binary_kernels)

namespace {

template <class T>
bool contains(const void* data, int64_t n, bool negative) {
  const T* x = static_cast<const T*>(data);
  return std::any_of(x, x + n, [negative](T v) { return negative ? v < T(0) : v == T(0); });
}

bool contains(DType dtype, const void* x, int64_t n, bool negative) {
  switch (dtype) {
    case DType::Int8: return contains<int8_t>(x, n, negative);
    case DType::Int16: return contains<int16_t>(x, n, negative);
    case DType::Int32: return contains<int32_t>(x, n, negative);
    case DType::Int64: return contains<int64_t>(x, n, negative);
    case DType::UInt8: return contains<uint8_t>(x, n, negative);
    case DType::UInt16: return contains<uint16_t>(x, n, negative);
    case DType::UInt32: return contains<uint32_t>(x, n, negative);
    case DType::UInt64: return contains<uint64_t>(x, n, negative);
    default: return false;
  }
}

template <class T, class F>
void each(const void* gv, const void* xv, void* yv, int64_t n, int threads, F f) {
  const T* g = static_cast<const T*>(gv);
  const T* x = static_cast<const T*>(xv);
  T* y = static_cast<T*>(yv);
  parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = f(g[i], x[i]);
  });
}

}  // namespace

UnaryLoop unary_loop(UnaryOp op, DType dtype, Isa isa) { return unary_kernels(isa).loop(op, dtype); }

BinaryLoops binary_loops(BinaryOp op, DType dtype, Isa isa) { return binary_kernels(isa).loops(op, dtype); }

DType unary_result(UnaryOp op, DType dtype) {
  return op == UnaryOp::IsNan || op == UnaryOp::IsInf || op == UnaryOp::IsFinite ? DType::Bool : dtype;
}

DType binary_result(BinaryOp op, DType dtype) {
  return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual ? DType::Bool : dtype;
}

void run_unary(UnaryOp op, DType dtype, const void* x, void* y, int64_t n, int threads) {
  const UnaryLoop loop = unary_loop(op, dtype);
  if (!loop) throw Error(Code::Unimplemented, std::string("no such elementwise operation on ") + dtype_name(dtype));
  const auto size_x = static_cast<int64_t>(dtype_size(dtype));
  const auto size_y = static_cast<int64_t>(dtype_size(unary_result(op, dtype)));
  parallel_for(threads, n, kGrain, [&](int64_t begin, int64_t end) {
    loop(static_cast<const char*>(x) + begin * size_x, static_cast<char*>(y) + begin * size_y, end - begin);
  });
}

bool contains_zero(DType dtype, const void* x, int64_t n) { return contains(dtype, x, n, false); }
bool contains_negative(DType dtype, const void* x, int64_t n) { return contains(dtype, x, n, true); }

void leaky_relu_grad(DType dtype, float alpha, const void* gradients, const void* features, void* y, int64_t n,
                     int threads) {
  const auto choose = [alpha](auto g, auto x) {
    using T = decltype(g);
    if constexpr (std::is_floating_point_v<T>)
      return x > 0 ? g : static_cast<T>(alpha) * g;
    else
      return float(x) > 0 ? g : T(alpha * float(g));
  };
  switch (dtype) {
    case DType::Float: return each<float>(gradients, features, y, n, threads, choose);
    case DType::Double: return each<double>(gradients, features, y, n, threads, choose);
    case DType::Half: return each<Half>(gradients, features, y, n, threads, choose);
    case DType::BFloat16: return each<BFloat16>(gradients, features, y, n, threads, choose);
    default: throw Error(Code::Unimplemented, std::string("no leaky ReLU of ") + dtype_name(dtype));
  }
}

void leaky_relu(DType dtype, float alpha, const void* x, void* y, int64_t n, int threads) {
  leaky_relu_grad(dtype, alpha, x, x, y, n, threads);
}

}  // namespace vf::cpu
