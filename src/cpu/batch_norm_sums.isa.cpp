// Compiled so that multiplications and additions are fused where the instruction set can: a product of two floats is
// exact in double, so the bits are the same.
#include "cpu/batch_norm_kernels.h"
#include "cpu/batch_norm_vectors.h"

namespace vf::cpu::VF_ISA {
namespace {

// kVectors * kLanes channels of a block of rows, summed from zero before they are added: short chains round less.
template <int kLanes, int kVectors, class Add>
inline void add_rows(int64_t rows, double* first, double* second, Add add) {
  using V = Vector<kLanes>;
  typename V::Doubles sum[kVectors]{}, products[kVectors]{};
  for (int64_t i = 0; i < rows; ++i)
    for (int j = 0; j < kVectors; ++j) add(i, j * kLanes, sum[j], products[j]);
  for (int j = 0; j < kVectors; ++j) {
    sum[j] += V::load(first + j * kLanes);
    products[j] += V::load(second + j * kLanes);
  }
  std::memcpy(first, sum, sizeof sum);
  std::memcpy(second, products, sizeof products);
}

void statistics(int64_t rows, int64_t channels, const float* x, double* first, double* second) {
  over_blocks(rows, channels, [=](int64_t begin, int64_t height) {
    over_channels<kDoubles, 4>(channels, 0, [=]<int kLanes, int kVectors>(int64_t c) {
      using V = Vector<kLanes>;
      const float* from = x + begin * channels + c;
      add_rows<kLanes, kVectors>(height, first + c, second + c,
                                 [=](int64_t i, int j, typename V::Doubles& sum, typename V::Doubles& squares) {
                                   const typename V::Doubles v = V::widen(V::load(from + i * channels + j));
                                   sum += v;
                                   squares += v * v;
                                 });
    });
  });
}

template <bool kRelu>
void gradients(int64_t rows, int64_t channels, const float* dy, const float* x, const float* y, double* first,
               double* second) {
  over_blocks(rows, channels, [=](int64_t begin, int64_t height) {
    over_channels<kDoubles, 4>(channels, 0, [=]<int kLanes, int kVectors>(int64_t c) {
      using V = Vector<kLanes>;
      const int64_t at = begin * channels + c;
      add_rows<kLanes, kVectors>(height, first + c, second + c,
                                 [=](int64_t i, int j, typename V::Doubles& sum, typename V::Doubles& products) {
                                   const int64_t here = at + i * channels + j;
                                   typename V::Floats change = V::load(dy + here);
                                   if constexpr (kRelu) change = V::load(y + here) > 0 ? change : typename V::Floats{};
                                   const typename V::Doubles wide = V::widen(change);
                                   sum += wide;
                                   products += wide * V::widen(V::load(x + here));
                                 });
    });
  });
}

}  // namespace

extern const BatchNormSums batch_norm_sums_table = {statistics, {gradients<false>, gradients<true>}};

}  // namespace vf::cpu::VF_ISA
