#include "cpu/max_pool_gradient.h"

#include <algorithm>

#include "base/parallel.h"
#include "cpu/max_pool_gradient_part.h"

namespace vf::cpu {

VF_ISA_TABLES(MaxPoolGradientKernels, max_pool_gradient_kernels)

namespace {

// Fewer elements than this are not worth a second thread.
constexpr int64_t kGrain = 10000;

}  // namespace

void max_pool_gradient(const PoolingShape& shape, const float* source, const float* d_destination, float* d_source,
                       int threads, bool relu, Isa isa) {
  const auto part = max_pool_gradient_kernels(isa).part;
  if (shape.in_size() == 0) return;
  // Windows overlap within an image, not between channels: parts are images, or channels where images are too few.
  const int64_t tiles = (shape.channels + kMaxPoolTile - 1) / kMaxPoolTile;
  const int64_t split = shape.batch >= threads ? 1 : tiles;
  const int64_t unit_size = shape.in_h * shape.in_w * shape.channels / split;
  parallel_for(threads, shape.batch * split, std::max<int64_t>(1, kGrain / std::max<int64_t>(unit_size, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t unit = begin; unit < end; ++unit) {
                   const int64_t image = unit / split, tile = unit % split;
                   const int64_t first = split == 1 ? 0 : tile * kMaxPoolTile;
                   const int64_t last = split == 1 ? shape.channels : std::min(first + kMaxPoolTile, shape.channels);
                   part({shape, source, d_destination, d_source, image, first, last, relu});
                 }
               });
}

}  // namespace vf::cpu
