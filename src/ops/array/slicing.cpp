// Slices of tensors. Where a slice begins may change from run to run; its sizes make its shape.
#include <algorithm>
#include <array>
#include <optional>

#include "cpu/strided_copy.h"
#include "graph/shape_rules.h"
#include "ops/array/array_ops.h"
#include "ops/array/strided_slice_spec.h"
#include "ops/elements.h"
#include "ops/gradient.h"

namespace vf {
namespace {

using Places = std::array<int64_t, Shape::kMaxRank>;

void run_copy(const cpu::StridedCopy& copy, DType dtype, const void* x, void* y, int threads) {
  if (dtype == DType::String)
    copy.run_objects(static_cast<const std::string*>(x), static_cast<std::string*>(y));
  else
    copy.run(x, y, threads);
}

// Offset in elements of a place in a dense array.
int64_t offset_of(const Shape& shape, std::span<const int64_t> place) {
  int64_t at = 0;
  for (int i = 0; i < shape.rank(); ++i) at = at * shape[i] + place[static_cast<size_t>(i)];
  return at;
}

void slice_shape(ShapeContext& c) {
  const Shape& in = c.input(0);
  const auto begin = c.constant_ints(1);
  const auto size = c.constant_ints(2);
  for (int i = 1; i < 3; ++i) {
    const Shape& s = c.input(i);
    if (!s.has_rank()) continue;
    if (s.rank() != 1 || (in.has_rank() && s[0] >= 0 && s[0] != in.rank()))
      c.fail("Expected begin and size arguments to be 1-D tensors of size " + std::to_string(in.rank()) +
             ", but got shape " + s.str() + " instead");
  }
  if (!size) {
    const Shape& sizes = c.input(2);
    const bool known = sizes.has_rank() && sizes.rank() == 1 && sizes[0] >= 0;
    return c.set_output(0, in.has_rank() ? Shape::of_rank(in.rank())
                           : known       ? Shape::of_rank(static_cast<int>(sizes[0]))
                                         : Shape::unknown());
  }
  Shape out = Shape::of_rank(static_cast<int>(size->size()));
  for (int i = 0; i < out.rank(); ++i) {
    const int64_t all = in.has_rank() ? in[i] : Shape::kUnknown;
    const int64_t n = (*size)[static_cast<size_t>(i)];
    if (n < -1)
      c.fail("Expected size[" + std::to_string(i) + "] in [-1, " + std::to_string(all) + "], but got " +
             std::to_string(n));
    if (begin) {
      const int64_t b = (*begin)[static_cast<size_t>(i)];
      if (all >= 0 && (b < 0 || b > all))
        c.fail("Expected begin[" + std::to_string(i) + "] in [0, " + std::to_string(all) + "], but got " +
               std::to_string(b));
      if (all >= 0 && n >= 0 && b + n > all)
        c.fail("Expected size[" + std::to_string(i) + "] in [0, " + std::to_string(all - b) + "], but got " +
               std::to_string(n));
      out.set_dim(i, n >= 0 ? n : all >= 0 ? all - b : Shape::kUnknown);
    } else if (n >= 0) {
      out.set_dim(i, n);
    }
  }
  c.set_output(0, out);
}

std::unique_ptr<Kernel> slice_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  if (!is_plain(dtype) && dtype != DType::String) return nullptr;
  const Shape in = m.input_shape(0);
  const Shape out = m.output_shape();
  const size_t size = dtype_size(dtype);
  const DType index = m.input_dtype(1);
  const int threads = m.threads();
  const Places zeros{};
  const cpu::StridedCopy copy =
      cpu::slice_plan(size, in, std::span(zeros).first(static_cast<size_t>(in.rank())), out.dims());
  return kernel([=](KernelRun& r) {
    Places begin{};
    for (int i = 0; i < in.rank(); ++i) {
      begin[static_cast<size_t>(i)] = integer_at(index, r.input_raw(1), i);
      const int64_t most = in[i] - out[i];
      if (begin[static_cast<size_t>(i)] < 0 || begin[static_cast<size_t>(i)] > most)
        throw Error(Code::InvalidArgument, "Expected begin[" + std::to_string(i) + "] in [0, " + std::to_string(most) +
                                               "], but got " + std::to_string(begin[static_cast<size_t>(i)]));
    }
    const auto offset = static_cast<size_t>(offset_of(in, begin));
    run_copy(copy, dtype, r.input<char>(0) + offset * size, r.output_raw(), threads);
  });
}

// dy with zeros around it.
void slice_gradient(GradientContext& g) {
  const GradientBuilder b(g);
  const DType index = g.input(1).dtype();
  const Output input_shape = g.make("Shape", {g.input(0)}, {{"out_type", index}});
  const Output slice_shape = g.make("Shape", {g.output()}, {{"out_type", index}});
  const Output begin = g.input(1);
  const Output after = b.sub(b.sub(input_shape, slice_shape), begin);
  g.set(0, g.make("Pad", {g.gradient(), g.make("Pack", {begin, after}, {{"axis", 1}})}));
}

// Inputs begin, end and strides are those from `first` on; the sliced shape is `in`.
DenseSlice static_slice(ShapeContext& c, const Shape& in, int first) {
  const auto begin = c.constant_ints(first);
  const auto end = c.constant_ints(first + 1);
  const auto strides = c.constant_ints(first + 2);
  DenseSlice unknown;
  unknown.result = Shape::unknown();
  if (!strides || !in.has_rank()) return unknown;
  if ((begin && begin->size() != strides->size()) || (end && end->size() != strides->size()))
    c.fail("Expected begin, end, and strides to be 1D equal size tensors");
  return dense_slice(in, begin ? std::span<const int64_t>(*begin) : std::span<const int64_t>(),
                     end ? std::span<const int64_t>(*end) : std::span<const int64_t>(), *strides, SliceMasks(c.node()),
                     [&](const std::string& text) { c.fail(text); });
}

// What a kernel needs of a strided slice: where it begins comes again with each run, unless it is known.
class SliceAt {
 public:
  // nullopt where more than the begin of dropped dimensions is unknown.
  static std::optional<SliceAt> make(KernelMake& m, const Shape& shape, int first) {
    SliceAt s;
    s.shape_ = shape;
    s.first_ = first;
    s.index_ = m.input_dtype(first);
    const Tensor* begin = m.constant(first);
    const Tensor* end = m.constant(first + 1);
    const Tensor* strides = m.constant(first + 2);
    if (!strides) return std::nullopt;
    const std::vector<int64_t> b = begin ? integers(*begin) : std::vector<int64_t>();
    const std::vector<int64_t> e = end ? integers(*end) : std::vector<int64_t>();
    s.dense_ = dense_slice(shape, b, e, integers(*strides), SliceMasks(m.node()),
                           [&](const std::string& text) { m.fail(text); });
    if (!s.dense_.result.fully_defined()) return std::nullopt;
    s.known_ = begin != nullptr;
    s.shrink_ = SliceMasks(m.node()).shrink_axis;
    s.entries_ = static_cast<int>(strides->num_elements());
    if (!s.known_ && m.attr<int64_t>("ellipsis_mask") != 0) return std::nullopt;
    s.new_axis_ = m.attr<int64_t>("new_axis_mask");
    return s;
  }

  cpu::StridedCopy copy(size_t size) const {
    const auto rank = static_cast<size_t>(shape_.rank());
    return cpu::slice_plan(size, shape_, std::span(dense_.begin).first(rank), std::span(dense_.sizes).first(rank),
                           std::span(dense_.strides).first(rank));
  }
  // What this run's begin adds to the offset of the first element; 0 where it was known.
  int64_t offset(const KernelRun& r) const {
    if (known_) return 0;
    Places place{};
    int at = 0;
    for (int i = 0; i < entries_; ++i) {
      if (new_axis_ >> i & 1) continue;
      if (shrink_ >> i & 1) {
        const int64_t given = integer_at(index_, r.input_raw(first_), i);
        const int64_t begin = given < 0 ? given + shape_[at] : given;
        if (begin < 0 || begin >= shape_[at])
          throw Error(Code::InvalidArgument, "slice index " + std::to_string(given) + " of dimension " +
                                                 std::to_string(at) + " out of bounds.");
        place[static_cast<size_t>(at)] = begin;
      }
      ++at;
    }
    return offset_of(shape_, place);
  }

 private:
  Shape shape_;
  DenseSlice dense_;
  DType index_ = DType::Int32;
  int first_ = 1;
  int entries_ = 0;
  int64_t shrink_ = 0;
  int64_t new_axis_ = 0;
  bool known_ = true;
};

AttrMap masks_of(const Node& n) {
  AttrMap masks;
  for (const char* name : {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"})
    masks.set(name, n.attr<int64_t>(name));
  return masks;
}

std::unique_ptr<Kernel> strided_slice_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  if (!is_plain(dtype) && dtype != DType::String) return nullptr;
  const auto slice = SliceAt::make(m, m.input_shape(0), 1);
  if (!slice) return nullptr;
  const size_t size = dtype_size(dtype);
  const cpu::StridedCopy copy = slice->copy(size);
  const int threads = m.threads();
  return kernel([=, slice = *slice](KernelRun& r) {
    run_copy(copy, dtype, r.input<char>(0) + static_cast<size_t>(slice.offset(r)) * size, r.output_raw(), threads);
  });
}

std::unique_ptr<Kernel> strided_slice_grad_kernel(KernelMake& m) {
  const DType dtype = m.output_dtype();
  if (!is_plain(dtype)) return nullptr;
  const auto slice = SliceAt::make(m, m.output_shape(), 1);
  if (!slice) return nullptr;
  const size_t size = dtype_size(dtype);
  const cpu::StridedCopy copy = slice->copy(size).inverse();
  const size_t bytes = static_cast<size_t>(m.output_shape().num_elements()) * size;
  const int threads = m.threads();
  return kernel([=, slice = *slice](KernelRun& r) {
    std::fill_n(r.output<char>(), bytes, char{0});
    copy.run(r.input_raw(4), r.output<char>() + static_cast<size_t>(slice.offset(r)) * size, threads);
  });
}

}  // namespace

void register_slicing_ops(OpRegistry& r) {
  r.op("Slice")
      .in("input: T")
      .in("begin: Index")
      .in("size: Index")
      .out("output: T")
      .attr("T: type")
      .attr("Index: {int32, int64}")
      .doc("`size` elements from `begin` on along each dimension; a size of -1 takes all that are left.")
      .shape(slice_shape)
      .cpu(slice_kernel)
      .grad(slice_gradient)
      .example({.inputs = {{4, 5}, Tensor::vector<int32_t>({1, 2}), Tensor::vector<int32_t>({2, -1})}});

  r.op("StridedSlice")
      .in("input: T")
      .in("begin: Index")
      .in("end: Index")
      .in("strides: Index")
      .out("output: T")
      .attr("T: type")
      .attr("Index: {int16, int32, int64}")
      .attr("begin_mask: int = 0")
      .attr("end_mask: int = 0")
      .attr("ellipsis_mask: int = 0")
      .attr("new_axis_mask: int = 0")
      .attr("shrink_axis_mask: int = 0")
      .doc(
          "Python's input[begin:end:stride, ...]; bit i of a mask says that entry i's begin or end is not there, or "
          "that it is an ellipsis, a new axis, or one index whose dimension goes.")
      .shape([](ShapeContext& c) { c.set_output(0, static_slice(c, c.input(0), 1).result); })
      .cpu(strided_slice_kernel)
      .grad([](GradientContext& g) {
        const DType index = g.input(1).dtype();
        const Output shape = g.make("Shape", {g.input(0)}, {{"out_type", index}});
        g.set(0, g.make("StridedSliceGrad", {shape, g.input(1), g.input(2), g.input(3), g.gradient()},
                        masks_of(g.node())));
      })
      .example({.inputs = {{4, 5},
                           Tensor::vector<int32_t>({1, 4}),
                           Tensor::vector<int32_t>({4, 0}),
                           Tensor::vector<int32_t>({2, -2})}})
      .example({.inputs = {{4, 5, 2},
                           Tensor::vector<int32_t>({0, 0, 1}),
                           Tensor::vector<int32_t>({0, 0, 2}),
                           Tensor::vector<int32_t>({1, 1, 1})},
                .attrs = {{"ellipsis_mask", 1}, {"new_axis_mask", 2}, {"shrink_axis_mask", 4}}});

  r.op("StridedSliceGrad")
      .in("shape: Index")
      .in("begin: Index")
      .in("end: Index")
      .in("strides: Index")
      .in("dy: T")
      .out("output: T")
      .attr("T: type")
      .attr("Index: {int32, int64}")
      .attr("begin_mask: int = 0")
      .attr("end_mask: int = 0")
      .attr("ellipsis_mask: int = 0")
      .attr("new_axis_mask: int = 0")
      .attr("shrink_axis_mask: int = 0")
      .doc("The gradient of StridedSlice: dy where the slice was, zeros elsewhere.")
      .shape([](ShapeContext& c) {
        const Shape in = shape_rule::shape_from_input(c, 0);
        if (in.fully_defined()) {
          const Shape sliced = static_slice(c, in, 1).result;
          if (!sliced.compatible(c.input(4)))
            c.fail("shape of dy was " + c.input(4).str() + " instead of " + sliced.str());
        }
        c.set_output(0, in);
      })
      .cpu(strided_slice_grad_kernel)
      .grad([](GradientContext& g) {
        g.set(4, g.make("StridedSlice", {g.gradient(), g.input(1), g.input(2), g.input(3)}, masks_of(g.node())));
      })
      .example({.inputs = {Tensor::vector<int32_t>({4, 5}),
                           Tensor::vector<int32_t>({1, 4}),
                           Tensor::vector<int32_t>({4, 0}),
                           Tensor::vector<int32_t>({2, -2}),
                           {2, 2}}});
}

}  // namespace vf
