// Products of matrices and of batches of them.
#include <algorithm>
#include <map>
#include <vector>

#include "base/parallel.h"
#include "cpu/dnnl/matmul.h"
#include "graph/shape_rules.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"
#include "tensor/visit.h"

namespace vf {
namespace {

using cpu::dnnl::MatmulShape;

std::vector<int64_t> sizes(std::span<const int64_t> dims) { return {dims.begin(), dims.end()}; }

// The last two dimensions are matrices, those before a batch that broadcasts.
MatmulShape matmul_shape(const Shape& a, const Shape& b, bool transpose_a, bool transpose_b) {
  MatmulShape s;
  s.batch_a = sizes(a.dims().first(static_cast<size_t>(a.rank() - 2)));
  s.batch_b = sizes(b.dims().first(static_cast<size_t>(b.rank() - 2)));
  s.m = a.dim(transpose_a ? -1 : -2);
  s.k = a.dim(transpose_a ? -2 : -1);
  s.n = b.dim(transpose_b ? -2 : -1);
  s.transpose_a = transpose_a;
  s.transpose_b = transpose_b;
  return s;
}

// Names of the attributes that transpose; BatchMatMul calls them adjoints, which is the same for reals.
struct Names {
  const char* a;
  const char* b;
};
constexpr Names kMatMul{"transpose_a", "transpose_b"};
constexpr Names kBatchMatMul{"adj_x", "adj_y"};

MatmulShape shape_of(const KernelMake& m, const Names& names) {
  return matmul_shape(m.input_shape(0), m.input_shape(1), m.attr<bool>(names.a), m.attr<bool>(names.b));
}

ShapeFunction product_shape(Names names, bool batches) {
  return [=](ShapeContext& c) {
    const Shape& a = c.input(0);
    const Shape& b = c.input(1);
    if (!a.has_rank() || !b.has_rank()) return c.set_output(0, batches ? Shape::unknown() : Shape::of_rank(2));
    for (int i = 0; i < 2; ++i)
      if (c.input(i).rank() < 2 || (!batches && c.input(i).rank() > 2))
        c.fail("Shape must be " + std::string(batches ? "at least " : "") + "rank 2 but is rank " +
               std::to_string(c.input(i).rank()));
    const MatmulShape s = matmul_shape(a, b, c.attr<bool>(names.a), c.attr<bool>(names.b));
    const int64_t k = b.dim(s.transpose_b ? -1 : -2);
    if (s.k >= 0 && k >= 0 && s.k != k)
      c.fail("Dimensions must be equal, but are " + std::to_string(s.k) + " and " + std::to_string(k));
    Shape out = shape_rule::broadcast_shapes(c, Shape(std::span<const int64_t>(s.batch_a)),
                                             Shape(std::span<const int64_t>(s.batch_b)));
    out.add_dim(s.m);
    out.add_dim(s.n);
    c.set_output(0, out);
  };
}

// oneDNN may split the sums of a product by threads. In shards of rows, each computed by one thread, the bits do not
// depend on their number. Fewer rows in a shard would read the other matrix more often.
constexpr int64_t kShards = 16, kLeastRows = 32;

std::unique_ptr<Kernel> sharded_product(KernelMake& m, const MatmulShape& s) {
  using cpu::dnnl::Matmul;
  const cpu::dnnl::MatmulOptions options{.dtype = m.output_dtype()};
  const bool batches = !s.batch_a.empty() || !s.batch_b.empty();
  const int64_t shards = batches ? 1 : std::clamp<int64_t>(s.m / kLeastRows, 1, kShards);
  const auto first = [rows = s.m, shards](int64_t shard) { return rows * shard / shards; };
  std::map<int64_t, std::shared_ptr<Matmul>> by_rows;
  size_t scratch = 0;
  for (int64_t i = 0; i < shards; ++i) {
    auto& p = by_rows[first(i + 1) - first(i)];
    if (p) continue;
    MatmulShape part = s;
    part.m = first(i + 1) - first(i);
    if (s.transpose_a && shards > 1) part.pitch_a = s.m;
    p = Matmul::make(part, options);
    if (!p) return nullptr;
    p->reserve(m.threads());
    scratch = std::max(scratch, (p->scratch_bytes() + 63) / 64 * 64);
  }
  m.set_scratch(static_cast<size_t>(m.threads()) * scratch);
  const auto size = static_cast<int64_t>(dtype_size(m.output_dtype()));
  const int64_t row_a = (s.transpose_a ? 1 : s.k) * size, row = s.n * size;
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    parallel_for(threads, shards, 1, [&](int64_t begin, int64_t end, int64_t worker) {
      for (int64_t i = begin; i < end; ++i)
        by_rows.at(first(i + 1) - first(i))
            ->run(r.input<char>(0) + first(i) * row_a, r.input_raw(1), nullptr, r.output<char>() + first(i) * row,
                  static_cast<char*>(r.scratch()) + static_cast<size_t>(worker) * scratch);
    });
  });
}

KernelFunction fast_product(Names names) {
  return [names](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.output_dtype();
    if (m.input_dtype(0) != dtype || m.input_dtype(1) != dtype) return nullptr;
    if (dtype != DType::Float && dtype != DType::BFloat16) return nullptr;
    if (m.deterministic()) return sharded_product(m, shape_of(m, names));
    std::shared_ptr<const cpu::dnnl::Matmul> product =
        cpu::dnnl::Matmul::make(shape_of(m, names), {.dtype = dtype, .threads = m.threads()});
    if (!product) return nullptr;
    m.set_scratch(product->scratch_bytes());
    return kernel(
        [=](KernelRun& r) { product->run(r.input_raw(0), r.input_raw(1), nullptr, r.output_raw(), r.scratch()); });
  };
}

// Where the operands' matrices lie for each matrix of the result, in elements.
std::vector<std::pair<int64_t, int64_t>> matrix_offsets(const MatmulShape& s, const Shape& out) {
  const auto batch = static_cast<size_t>(out.rank() - 2);
  int64_t count = 1;
  for (size_t i = 0; i < batch; ++i) count *= out[static_cast<int>(i)];
  const auto offset = [&](int64_t index, const std::vector<int64_t>& own, int64_t matrix) {
    int64_t at = 0;
    int64_t stride = matrix;
    for (size_t i = 1; i <= own.size(); ++i) {
      const int64_t size = own[own.size() - i];
      const int64_t all = out[static_cast<int>(batch - i)];
      if (size > 1) at += index % all * stride;
      stride *= size;
      index /= all;
    }
    return at;
  };
  std::vector<std::pair<int64_t, int64_t>> offsets;
  for (int64_t i = 0; i < count; ++i)
    offsets.emplace_back(offset(i, s.batch_a, s.m * s.k), offset(i, s.batch_b, s.k * s.n));
  return offsets;
}

// What a sum of products is held in: integers wrap around, small floats are rounded once.
template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;

KernelFunction reference_product(Names names) {
  return [names](KernelMake& m) -> std::unique_ptr<Kernel> {
    const DType dtype = m.output_dtype();
    if (m.input_dtype(0) != dtype || m.input_dtype(1) != dtype) return nullptr;
    if (!is_floating(dtype) && !is_integer(dtype)) return nullptr;
    const MatmulShape s = shape_of(m, names);
    const auto offsets = matrix_offsets(s, m.output_shape());
    const int threads = m.threads();
    return visit_number(dtype, [&]<class T>() {
      return kernel([s, offsets, threads](KernelRun& r) {
        const int64_t row_a = s.transpose_a ? 1 : s.k;
        const int64_t column_a = s.transpose_a ? s.m : 1;
        const int64_t row_b = s.transpose_b ? 1 : s.n;
        const int64_t column_b = s.transpose_b ? s.k : 1;
        const int64_t rows = static_cast<int64_t>(offsets.size()) * s.m;
        parallel_for(threads, rows, std::max<int64_t>(1, cpu::kGrain / std::max<int64_t>(1, s.k * s.n)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t row = begin; row < end; ++row) {
                         const auto& [at_a, at_b] = offsets[static_cast<size_t>(row / s.m)];
                         const T* a = r.input<T>(0) + at_a + row % s.m * row_a;
                         const T* b = r.input<T>(1) + at_b;
                         T* y = r.output<T>() + row * s.n;
                         for (int64_t j = 0; j < s.n; ++j) {
                           Sum<T> sum = 0;
                           for (int64_t k = 0; k < s.k; ++k)
                             sum += convert<Sum<T>>(a[k * column_a]) * convert<Sum<T>>(b[k * row_b + j * column_b]);
                           y[j] = convert<T>(sum);
                         }
                       }
                     });
      });
    });
  };
}

void matmul_gradient(GradientContext& g) {
  const bool ta = g.node().attr<bool>("transpose_a");
  const bool tb = g.node().attr<bool>("transpose_b");
  const Output a = g.input(0);
  const Output b = g.input(1);
  const Output dy = g.gradient();
  const auto product = [&](Output x, Output y, bool tx, bool ty, const char* mark) {
    return g.make("MatMul", {x, y}, {{"transpose_a", tx}, {"transpose_b", ty}, {mark, true}});
  };
  g.set(0, ta ? product(b, dy, tb, true, "grad_a") : product(dy, b, false, !tb, "grad_a"));
  g.set(1, tb ? product(dy, a, true, ta, "grad_b") : product(a, dy, !ta, false, "grad_b"));
}

void batch_matmul_gradient(GradientContext& g) {
  const std::string op = g.node().type();
  const bool ta = g.node().attr<bool>("adj_x");
  const bool tb = g.node().attr<bool>("adj_y");
  const Output x = g.input(0);
  const Output y = g.input(1);
  const Output dy = g.gradient();
  const auto product = [&](Output a, Output b, bool t_a, bool t_b, const char* mark) {
    return g.make(op, {a, b}, {{"adj_x", t_a}, {"adj_y", t_b}, {mark, true}});
  };
  const Output for_x = ta ? product(y, dy, tb, true, "grad_x") : product(dy, y, false, !tb, "grad_x");
  const Output for_y = tb ? product(dy, x, true, ta, "grad_y") : product(x, dy, !ta, false, "grad_y");
  const Shape& sx = x.shape();
  const Shape& sy = y.shape();
  const bool equal = sx.fully_defined() && sy.fully_defined() && sx.rank() == sy.rank() &&
                     std::equal(sx.dims().begin(), sx.dims().end() - 2, sy.dims().begin());
  if (equal) {
    g.set(0, for_x);
    g.set(1, for_y);
    return;
  }
  // Sums over the batch dimensions that were repeated.
  const GradientBuilder b(g);
  const auto batch = [&](const Output& shape) {
    return g.make("StridedSlice", {shape, {0}, {-2}, {1}}, {{"begin_mask", 1}});
  };
  const Output shape_x = b.shape(x);
  const Output shape_y = b.shape(y);
  Node* axes = g.make("BroadcastGradientArgs", {batch(shape_x), batch(shape_y)}).node;
  g.set(0, b.reshape(g.make("Sum", {for_x, Output(axes, 0)}), shape_x));
  g.set(1, b.reshape(g.make("Sum", {for_y, Output(axes, 1)}), shape_y));
}

OpBuilder batch_matmul(OpRegistry& r, const std::string& name, const std::string& types) {
  return r.op(name)
      .in("x: T")
      .in("y: T")
      .out("output: T")
      .attr("T: " + types)
      .attr("adj_x: bool = false")
      .attr("adj_y: bool = false")
      .attr("grad_x: bool = false")
      .attr("grad_y: bool = false")
      .shape(product_shape(kBatchMatMul, true))
      .fast(fast_product(kBatchMatMul))
      .cpu(reference_product(kBatchMatMul))
      .grad(batch_matmul_gradient)
      .example({.inputs = {{2, 3, 4}, {2, 4, 5}}})
      .example({.inputs = {{2, 4, 3}, {2, 5, 4}}, .attrs = {{"adj_x", true}, {"adj_y", true}}});
}

}  // namespace

void register_matmul_ops(OpRegistry& r) {
  r.op("MatMul")
      .in("a: T")
      .in("b: T")
      .out("product: T")
      .attr("transpose_a: bool = false")
      .attr("transpose_b: bool = false")
      .attr("T: {bfloat16, half, float, double, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}")
      .attr("grad_a: bool = false")
      .attr("grad_b: bool = false")
      .function("matmul")
      .doc("The matrix a times the matrix b, each transposed first where its attribute says so.")
      .shape(product_shape(kMatMul, false))
      .fast(fast_product(kMatMul))
      .cpu(reference_product(kMatMul))
      .grad(matmul_gradient)
      .example({.inputs = {{2, 3}, {3, 4}}})
      .example({.inputs = {{3, 2}, {3, 4}}, .attrs = {{"transpose_a", true}}})
      .example({.inputs = {{2, 3}, {4, 3}}, .attrs = {{"transpose_b", true}}})
      .example({.inputs = {{3, 2}, {4, 3}}, .attrs = {{"transpose_a", true}, {"transpose_b", true}}});

  batch_matmul(r, "BatchMatMul", "{bfloat16, half, float, double, int32, int64, complex64, complex128}")
      .function("batch_matmul_v1")
      .doc("Products of the matrices in the last two dimensions; the dimensions before are the same in both.");

  batch_matmul(r, "BatchMatMulV2",
               "{bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
               "complex128}")
      .function("batch_matmul")
      .doc("Products of the matrices in the last two dimensions; the dimensions before broadcast.")
      .example({.inputs = {{2, 1, 3, 4}, {5, 4, 2}}})
      .example({.inputs = {{3, 4}, {2, 4, 5}}});
}

}  // namespace vf
