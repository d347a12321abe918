// Half the sum of squares.
#include <algorithm>
#include <array>

#include "base/parallel.h"
#include "cpu/cast.h"
#include "cpu/reduce.h"
#include "graph/shape_rules.h"
#include "ops/math/math_ops.h"

namespace vf {
namespace {

// Squares are summed in tiles that stay in the cache, and the tiles' sums by a tree; small floats as floats.
constexpr int64_t kTile = 4096;

std::unique_ptr<Kernel> l2_loss_kernel(KernelMake& m) {
  const DType dtype = m.input_dtype(0);
  const DType wide = dtype == DType::Double ? DType::Double : DType::Float;
  const auto widen = cpu::cast_loop(dtype, wide);
  const auto square = cpu::unary_loop(cpu::UnaryOp::Square, wide);
  const int64_t n = m.input_shape(0).num_elements();
  const int64_t tiles = (n + kTile - 1) / kTile;
  const std::array<int64_t, 1> axis{0};
  const auto sum_of = [&](int64_t count) {
    return cpu::ReducePlan(cpu::ReduceOp::Sum, wide, Shape{count}, axis, false);
  };
  const cpu::ReducePlan whole_tile = sum_of(kTile);
  const cpu::ReducePlan last_tile = sum_of(n - std::max<int64_t>(tiles - 1, 0) * kTile);
  const cpu::ReducePlan all = sum_of(tiles);
  const size_t size = dtype_size(dtype);
  const size_t size_wide = dtype_size(wide);
  const size_t sums = (static_cast<size_t>(tiles + 1) * size_wide + 63) / 64 * 64;
  m.set_scratch(sums + all.scratch_bytes());
  const int threads = m.threads();
  return kernel([=](KernelRun& r) {
    char* partial = static_cast<char*>(r.scratch());
    parallel_for(threads, tiles, cpu::kGrain / kTile, [&](int64_t begin, int64_t end) {
      alignas(64) std::array<char, kTile * sizeof(double)> tile;
      for (int64_t t = begin; t < end; ++t) {
        const int64_t count = std::min(kTile, n - t * kTile);
        widen(r.input<char>(0) + static_cast<size_t>(t * kTile) * size, tile.data(), count);
        square(tile.data(), tile.data(), count);
        (count == kTile ? whole_tile : last_tile)
            .run(tile.data(), partial + static_cast<size_t>(t) * size_wide, nullptr, 1);
      }
    });
    char* total = partial + static_cast<size_t>(tiles) * size_wide;
    all.run(partial, total, partial + sums, threads);
    if (wide == DType::Double)
      *r.output<double>() = *reinterpret_cast<double*>(total) * 0.5;
    else {
      const float half = *reinterpret_cast<float*>(total) * 0.5F;
      cpu::cast_loop(DType::Float, dtype)(&half, r.output_raw(), 1);
    }
  });
}

}  // namespace

void register_l2_loss_op(OpRegistry& r) {
  r.op("L2Loss")
      .in("t: T")
      .out("output: T")
      .attr(std::string("T: ") + kFloatsHalfFirst)
      .doc("Half the sum of the squares of all elements.")
      .shape(shape_rule::scalar)
      .cpu(l2_loss_kernel)
      .grad([](GradientContext& g) {
        g.set(0, g.make("Mul", {g.input(0), g.gradient()}));
      })
      .example({.inputs = {{2, 3}}});
}

}  // namespace vf
