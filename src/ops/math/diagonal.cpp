// Diagonals of matrices, and matrices of diagonals.
#include <cstring>
#include <vector>

#include "cpu/strided_copy.h"
#include "ops/elements.h"
#include "ops/gradient.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

using cpu::StridedCopy;

// Diagonal i of `batch` matrices of rows x columns, from [batch, count].
StridedCopy onto_diagonal(size_t size, int64_t batch, int64_t count, int64_t rows, int64_t columns) {
  const std::vector<StridedCopy::Dim> dims{{batch, count, rows * columns}, {count, 1, columns + 1}};
  return {size, dims, 0, 0};
}

std::unique_ptr<Kernel> place_kernel(KernelMake& m, int64_t batch, int64_t n) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const size_t size = dtype_size(m.output_dtype());
  const StridedCopy copy = onto_diagonal(size, batch, n, n, n);
  const size_t bytes = static_cast<size_t>(m.output_shape().num_elements()) * size;
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    if (bytes > 0) std::memset(r.output_raw(), 0, bytes);
    copy.run(r.input_raw(0), r.output_raw(), threads);
  });
}

std::unique_ptr<Kernel> extract_kernel(KernelMake& m, int64_t batch, int64_t rows, int64_t columns) {
  if (!is_plain(m.output_dtype())) return nullptr;
  const int64_t count = std::min(rows, columns);
  const StridedCopy copy = onto_diagonal(dtype_size(m.output_dtype()), batch, count, rows, columns).inverse();
  const int threads = m.threads();
  return kernel([=](KernelRun& r) { copy.run(r.input_raw(0), r.output_raw(), threads); });
}

void diag_part_shape(ShapeContext& c) {
  const Shape& s = c.input(0);
  if (!s.has_rank()) return c.set_output(0, Shape::unknown());
  if (s.rank() % 2 != 0 || s.rank() == 0)
    c.fail("Input must have even and non-zero rank, input rank is " + std::to_string(s.rank()));
  Shape out;
  for (int i = 0; i < s.rank() / 2; ++i) {
    const int64_t other = s[i + s.rank() / 2];
    if (s[i] >= 0 && other >= 0 && s[i] != other)
      c.fail("Invalid shape " + s.str() + ": dimensions " + std::to_string(i) + " and " +
             std::to_string(i + s.rank() / 2) + " do not match.");
    out.add_dim(s[i] >= 0 ? s[i] : other);
  }
  c.set_output(0, out);
}

void matrix_diag_part_shape(ShapeContext& c) {
  const Shape& s = c.input(0);
  if (!s.has_rank()) return c.set_output(0, Shape::unknown());
  if (s.rank() < 2) c.fail("Shape must be at least rank 2 but is rank " + std::to_string(s.rank()));
  Shape out(s.dims().first(static_cast<size_t>(s.rank() - 2)));
  out.add_dim(s.dim(-1) < 0 || s.dim(-2) < 0 ? Shape::kUnknown : std::min(s.dim(-1), s.dim(-2)));
  c.set_output(0, out);
}

}  // namespace

void register_diagonal_ops(OpRegistry& r) {
  const std::string types = "T: {bfloat16, half, float, double, int32, int64, complex64, complex128}";
  r.op("Diag")
      .in("diagonal: T")
      .out("output: T")
      .attr(types)
      .function("tensor_diag")
      .doc("The tensor of twice the rank with the input on its diagonal and zeros elsewhere.")
      .shape([](ShapeContext& c) {
        Shape s = c.input(0);
        if (s.has_rank())
          for (int64_t d : c.input(0).dims()) s.add_dim(d);
        c.set_output(0, s);
      })
      .cpu([](KernelMake& m) { return place_kernel(m, 1, m.input_shape(0).num_elements()); })
      .grad([](GradientContext& g) { g.set(0, g.make("DiagPart", {g.gradient()})); })
      .example({.inputs = {{3}}})
      .example({.inputs = {{2, 3}}});

  r.op("DiagPart")
      .in("input: T")
      .out("diagonal: T")
      .attr(types)
      .function("tensor_diag_part")
      .doc("The diagonal of a tensor of even rank: diagonal[i, j] = input[i, j, i, j].")
      .shape(diag_part_shape)
      .cpu([](KernelMake& m) {
        const int64_t n = m.output_shape().num_elements();
        return extract_kernel(m, 1, n, n);
      })
      .grad([](GradientContext& g) { g.set(0, g.make("Diag", {g.gradient()})); })
      .example({.inputs = {{3, 3}}})
      .example({.inputs = {{2, 3, 2, 3}}});

  r.op("MatrixDiag")
      .in("diagonal: T")
      .out("output: T")
      .attr("T: type")
      .doc("Square matrices with the input's last dimension on their diagonals and zeros elsewhere.")
      .shape([](ShapeContext& c) {
        Shape s = c.input(0);
        if (s.has_rank() && s.rank() < 1) c.fail("Shape must be at least rank 1 but is rank 0");
        if (s.has_rank()) s.add_dim(s.dim(-1));
        c.set_output(0, s);
      })
      .cpu([](KernelMake& m) {
        const Shape& s = m.input_shape(0);
        return place_kernel(m, size_between(s, 0, s.rank() - 1), s.dim(-1));
      })
      .grad([](GradientContext& g) { g.set(0, g.make("MatrixDiagPart", {g.gradient()})); })
      .example({.inputs = {{2, 3}}});

  r.op("MatrixDiagPart")
      .in("input: T")
      .out("diagonal: T")
      .attr("T: type")
      .doc("The diagonals of the matrices in the last two dimensions.")
      .shape(matrix_diag_part_shape)
      .cpu([](KernelMake& m) {
        const Shape& s = m.input_shape(0);
        return extract_kernel(m, size_between(s, 0, s.rank() - 2), s.dim(-2), s.dim(-1));
      })
      .grad([](GradientContext& g) {
        const GradientBuilder b(g);
        const Output square = g.make("MatrixDiag", {g.gradient()});
        const Output after = b.sub(b.shape(g.input(0)), b.shape(square));  // zeros beside the square part
        g.set(0, g.make("Pad", {square, g.make("Pack", {b.zeros_like(after), after}, {{"axis", 1}})}));
      })
      .example({.inputs = {{2, 3, 4}}})
      .example({.inputs = {{3, 3}}});
}

}  // namespace vf
