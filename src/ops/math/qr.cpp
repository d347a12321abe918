// QR decomposition by Householder reflections, as TensorFlow does it: with Eigen, on one thread.
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_NO_DEBUG
#include <Eigen/QR>
#include <algorithm>

#include "ops/elements.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
void decompose(const T* x, T* q, T* r, int64_t rows, int64_t columns, bool full) {
  if (columns == 0) {  // nothing to turn
    Eigen::Map<Matrix<T>>(q, rows, full ? rows : 0).setIdentity();
    return;
  }
  const Eigen::HouseholderQR<Matrix<T>> qr(Eigen::Map<const Matrix<T>>(x, rows, columns));
  const int64_t kept = full ? rows : std::min(rows, columns);
  Eigen::Map<Matrix<T>>(q, rows, kept) = qr.householderQ() * Matrix<T>::Identity(rows, kept);
  Eigen::Map<Matrix<T>>(r, kept, columns) =
      qr.matrixQR().topRows(kept).template triangularView<Eigen::Upper>().toDenseMatrix();
}

// The sizes of the matrices in the last two dimensions, and how many of them are kept as columns of q.
struct Sizes {
  int64_t rows;
  int64_t columns;
  int64_t kept;
};
Sizes sizes_of(const Shape& s, bool full) {
  const int64_t rows = s.dim(-2);
  const int64_t columns = s.dim(-1);
  const int64_t least = rows < 0 || columns < 0 ? Shape::kUnknown : std::min(rows, columns);
  return {rows, columns, full ? rows : least};
}

std::unique_ptr<Kernel> qr_kernel(KernelMake& m) {
  const DType dtype = m.input_dtype(0);
  const Shape& s = m.input_shape(0);
  const bool full = m.attr<bool>("full_matrices");
  const Sizes z = sizes_of(s, full);
  const int64_t count = size_between(s, 0, s.rank() - 2);
  const auto run = [=]<class T>(KernelRun& r) {
    for (int64_t i = 0; i < count && z.rows > 0; ++i)
      decompose(r.input<T>(0) + i * z.rows * z.columns, r.output<T>(0) + i * z.rows * z.kept,
                r.output<T>(1) + i * z.kept * z.columns, z.rows, z.columns, full);
  };
  if (dtype == DType::Float) return kernel([=](KernelRun& r) { run.template operator()<float>(r); });
  if (dtype == DType::Double) return kernel([=](KernelRun& r) { run.template operator()<double>(r); });
  return nullptr;
}

}  // namespace

void register_qr_op(OpRegistry& r) {
  r.op("Qr")
      .in("input: T")
      .out("q: T")
      .out("r: T")
      .attr("full_matrices: bool = false")
      .attr("T: {double, float, half, complex64, complex128}")
      .doc(
          "For each matrix in the last two dimensions: q with orthogonal columns and r upper triangular, input = q * "
          "r.")
      .shape([](ShapeContext& c) {
        const Shape& s = c.input(0);
        if (!s.has_rank()) {
          c.set_output(0, Shape::unknown());
          c.set_output(1, Shape::unknown());
          return;
        }
        if (s.rank() < 2) c.fail("Shape must be at least rank 2 but is rank " + std::to_string(s.rank()));
        const Sizes z = sizes_of(s, c.attr<bool>("full_matrices"));
        Shape q = s;
        Shape r_shape = s;
        q.set_dim(-1, z.kept);
        r_shape.set_dim(-2, z.kept);
        c.set_output(0, q);
        c.set_output(1, r_shape);
      })
      .cpu(qr_kernel)
      .grad([](GradientContext& g) {
        throw Error(Code::Unimplemented, g.node().type(), g.node().name(), "has no gradient yet");
      })
      .example({.inputs = {{4, 3}}, .gradient = false})
      .example({.inputs = {{2, 3, 4}}, .gradient = false})
      .example({.inputs = {{4, 3}}, .attrs = {{"full_matrices", true}}, .gradient = false});
}

}  // namespace vf
