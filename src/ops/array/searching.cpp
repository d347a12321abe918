// Ops whose results have as many elements as the values say.
#include <unordered_map>

#include "ops/array/array_ops.h"
#include "tensor/visit.h"

namespace vf {
namespace {

template <class T>
bool is_zero(const T& value) {
  return convert<double>(value) == 0;
}
template <>
bool is_zero(const bool& value) {
  return !value;
}

template <class T>
Tensor places_of(const T* values, const Shape& shape) {
  const int64_t n = shape.num_elements();
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += is_zero(values[i]) ? 0 : 1;
  const int rank = shape.rank();
  Tensor result(DType::Int64, Shape{count, rank});
  auto* out = result.data<int64_t>();
  std::array<int64_t, Shape::kMaxRank> at{};
  for (int64_t i = 0; i < n; ++i) {
    if (!is_zero(values[i])) out = std::copy_n(at.begin(), rank, out);
    for (int d = rank - 1; d >= 0 && ++at[static_cast<size_t>(d)] == shape[d]; --d) at[static_cast<size_t>(d)] = 0;
  }
  return result;
}

std::unique_ptr<Kernel> where_kernel(KernelMake& m) {
  const DType dtype = m.input_dtype(0);
  if (!is_plain(dtype) || is_complex(dtype)) return nullptr;
  return kernel([dtype, shape = m.input_shape(0)](KernelRun& r) {
    visit_number(dtype, [&]<class T>() { r.set_output(0, places_of(r.input<T>(0), shape)); });
  });
}

// What a value is found by: numbers of two bytes as floats, so that equal means equal in value.
template <class T>
auto key_of(const T& value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return static_cast<float>(value);
  else
    return value;
}

template <class T, class Index>
void find_unique(KernelRun& r, DType dtype, int64_t n, bool counts) {
  const T* x = r.input<T>(0);
  auto* idx = r.output<Index>(1);
  std::unordered_map<decltype(key_of(*x)), Index> place;
  std::vector<int64_t> first;
  std::vector<Index> count;
  for (int64_t i = 0; i < n; ++i) {
    const auto [it, fresh] = place.try_emplace(key_of(x[i]), static_cast<Index>(first.size()));
    if (fresh) {
      first.push_back(i);
      count.push_back(0);
    }
    idx[i] = it->second;
    ++count[static_cast<size_t>(it->second)];
  }
  const Shape found{static_cast<int64_t>(first.size())};
  Tensor y(dtype, found);
  auto* out = static_cast<T*>(y.raw());
  for (int64_t i : first) *out++ = x[i];
  r.set_output(0, std::move(y));
  if (counts) r.set_output(2, Tensor::of<Index>(found, std::span<const Index>(count)));
}

KernelFunction unique_kernel(bool counts) {
  return [counts](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.input_dtype(0);
    if (dtype != DType::String && (!is_plain(dtype) || is_complex(dtype))) return nullptr;
    const int64_t n = m.input_shape(0).num_elements();
    const bool wide = m.output_dtype(1) == DType::Int64;
    return kernel([=](KernelRun& r) {
      const auto find = [&]<class T>() {
        if (wide)
          find_unique<T, int64_t>(r, dtype, n, counts);
        else
          find_unique<T, int32_t>(r, dtype, n, counts);
      };
      if (dtype == DType::String)
        find.template operator()<std::string>();
      else
        visit_number(dtype, find);
    });
  };
}

}  // namespace

void register_searching_ops(OpRegistry& r) {
  r.op("Where")
      .in("input: T")
      .out("index: int64")
      .attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64, bool} = bool")
      .doc("The places of the elements that are not zero, in order: a row of indices for each.")
      .shape([](ShapeContext& c) {
        if (c.input(0).has_rank() && c.input(0).rank() == 0) c.fail("WhereOp : Unhandled input dimensions: 0");
        c.set_output(0, Shape{Shape::kUnknown, c.input(0).has_rank() ? c.input(0).rank() : Shape::kUnknown});
        c.set_dynamic(0);
      })
      .cpu(where_kernel)
      .no_grad()
      .example({.inputs = {Tensor::of<float>({2, 3}, {0, 1, 0, -2, 0, 3})}});

  for (const bool counts : {false, true}) {
    auto op = r.op(counts ? "UniqueWithCounts" : "Unique");
    op.in("x: T").out("y: T").out("idx: out_idx");
    if (counts) op.out("count: out_idx");
    op.attr("T: type")
        .attr("out_idx: {int32, int64} = DT_INT32")
        .doc(counts
                 ? "The different values of a list in the order in which they come first, for each element its place "
                   "among them, and how often each comes."
                 : "The different values of a list in the order in which they come first, and for each element its "
                   "place among them.")
        .shape([counts](ShapeContext& c) {
          if (c.input(0).has_rank() && c.input(0).rank() != 1) c.fail("unique expects a 1D vector.");
          c.set_output(1, c.input(0).has_rank() ? c.input(0) : Shape::of_rank(1));
          for (int i = 0; i < (counts ? 3 : 2); i += 2) {
            c.set_output(i, Shape{Shape::kUnknown});
            c.set_dynamic(i);
          }
        })
        .cpu(unique_kernel(counts))
        .no_grad()
        .example({.inputs = {Tensor::vector<float>({3, 1, 3, 2, 1})}});
  }
}

}  // namespace vf
