// Winograd convolution against the definition's sums in double: every algorithm, pass and instruction set.
#include "cpu/winograd/winograd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <tuple>

#include "cpu/convolution_shape.h"
#include "cpu_test_util.h"
#include "dnnl_test_util.h"

namespace vf::cpu {
namespace {

using dnnl::random_floats;
using dnnl::Scratch;
using dnnl::unwritten;

// f(output, input, weight) for each product of the definition, by index.
template <class F>
void each_product(const ConvolutionShape& s, F f) {
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x)
        for (int64_t i = 0; i < s.k_h; ++i)
          for (int64_t j = 0; j < s.k_w; ++j) {
            const int64_t row = y - s.pad_top + i, column = x - s.pad_left + j;
            if (row < 0 || row >= s.in_h || column < 0 || column >= s.in_w) continue;
            for (int64_t c = 0; c < s.in_c; ++c)
              for (int64_t k = 0; k < s.out_c; ++k)
                f(((b * s.out_h() + y) * s.out_w() + x) * s.out_c + k,
                  ((b * s.in_h + row) * s.in_w + column) * s.in_c + c, ((i * s.k_w + j) * s.in_c + c) * s.out_c + k);
          }
}

struct Data {
  explicit Data(const ConvolutionShape& s)
      : x(random_floats(s.in_size(), 1)),
        w(random_floats(s.weights_size(), 2)),
        dy(random_floats(s.destination_size(), 3)),
        bias(random_floats(s.out_c, 4)) {}
  std::vector<float> x, w, dy, bias;
};

std::vector<double> expected(const ConvolutionShape& s, ConvolutionPass pass, const Data& d) {
  const auto at = [](const std::vector<float>& v, int64_t i) { return double{v[static_cast<size_t>(i)]}; };
  std::vector<double> sums;
  if (pass == ConvolutionPass::Forward) {
    for (int64_t i = 0; i < s.destination_size(); ++i) sums.push_back(at(d.bias, i % s.out_c));
    each_product(s, [&](int64_t o, int64_t i, int64_t w) { sums[static_cast<size_t>(o)] += at(d.x, i) * at(d.w, w); });
  } else if (pass == ConvolutionPass::BackwardData) {
    sums.resize(static_cast<size_t>(s.in_size()));
    each_product(s, [&](int64_t o, int64_t i, int64_t w) { sums[static_cast<size_t>(i)] += at(d.dy, o) * at(d.w, w); });
  } else {
    sums.resize(static_cast<size_t>(s.weights_size()));
    each_product(s, [&](int64_t o, int64_t i, int64_t w) { sums[static_cast<size_t>(w)] += at(d.x, i) * at(d.dy, o); });
  }
  return sums;
}

std::vector<float> computed(const ConvolutionShape& s, ConvolutionPass pass, WinogradKind kind, const Data& d,
                            int threads, Isa isa) {
  const Winograd winograd(s, pass, kind, threads, isa);
  const Scratch scratch(winograd.scratch_bytes());
  std::vector<float> out;
  switch (pass) {
    case ConvolutionPass::Forward:
      out = unwritten(s.destination_size());
      winograd.forward(d.x.data(), d.w.data(), d.bias.data(), out.data(), scratch.data());
      break;
    case ConvolutionPass::BackwardData:
      out = unwritten(s.in_size());
      winograd.backward_data(d.dy.data(), d.w.data(), out.data(), scratch.data());
      break;
    case ConvolutionPass::BackwardWeights:
      out = unwritten(s.weights_size());
      winograd.backward_weights(d.x.data(), d.dy.data(), out.data(), scratch.data());
      break;
  }
  return out;
}

// The 2-norm of the difference by that of the expected values.
double distance(const std::vector<float>& got, const std::vector<double>& want) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    norm += want[i] * want[i];
  }
  return std::sqrt(difference / norm);
}

// Odd sizes, padding that cuts tiles on each side, few and many channels, panels of 16, 32 and 64.
ConvolutionShape shape_of(WinogradKind kind, int variant) {
  const int64_t r = winograd_kernel(kind);
  ConvolutionShape s;
  s.k_h = s.k_w = r;
  switch (variant) {
    case 0: s.batch = 2, s.in_h = 7, s.in_w = 9, s.in_c = 16, s.out_c = 64; break;
    case 1: s.batch = 1, s.in_h = 13, s.in_w = 6, s.in_c = 48, s.out_c = 32; break;
    case 2: s.batch = 3, s.in_h = r, s.in_w = r + 1, s.in_c = 128, s.out_c = 16; break;
    default: s.batch = 9, s.in_h = 12, s.in_w = 12, s.in_c = 32, s.out_c = 48; break;
  }
  if (variant != 2) s.pad_top = r / 2, s.pad_bottom = r / 2;
  if (variant == 0 || variant == 3) s.pad_left = r / 2, s.pad_right = r - 1 - r / 2;
  if (variant == 1) s.pad_right = 1;
  return s;
}

class WinogradTest : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  WinogradKind kind = static_cast<WinogradKind>(std::get<0>(GetParam()));
  ConvolutionShape shape = shape_of(kind, std::get<1>(GetParam()));
  const Data data{shape};
};
INSTANTIATE_TEST_SUITE_P(KindsAndShapes, WinogradTest,
                         testing::Combine(testing::Range(0, kWinogradKinds), testing::Range(0, 4)));

constexpr ConvolutionPass kPasses[] = {ConvolutionPass::Forward, ConvolutionPass::BackwardData,
                                       ConvolutionPass::BackwardWeights};

TEST_P(WinogradTest, IsTheDefinitionsSum) {
  ASSERT_TRUE(winograd_fits(shape, kind));
  // Largest errors seen, doubled; the direct sums of 400 such products in float have 2e-7.
  constexpr double kMostError[] = {6e-7, 1.5e-6, 2e-6, 7e-6};
  for (const ConvolutionPass pass : kPasses) {
    const std::vector<double> want = expected(shape, pass, data);
    for (const Isa isa : supported_isas())
      EXPECT_LE(distance(computed(shape, pass, kind, data, 2, isa), want), kMostError[static_cast<int>(kind)])
          << "pass " << static_cast<int>(pass) << " " << isa_name(isa);
  }
}

TEST_P(WinogradTest, HasTheSameBitsOnAnyNumberOfThreads) {
  for (const ConvolutionPass pass : kPasses) {
    const std::vector<float> one = computed(shape, pass, kind, data, 1, active_isa());
    for (const int threads : {2, 3, 5})
      EXPECT_EQ(computed(shape, pass, kind, data, threads, active_isa()), one)
          << "pass " << static_cast<int>(pass) << ", " << threads << " threads";
  }
}

TEST(WinogradChoice, FitsStrideOneAndWholeVectorsOfChannels) {
  const ConvolutionShape good = shape_of(WinogradKind::F4x3, 3);
  EXPECT_TRUE(winograd_fits(good, WinogradKind::F2x3));
  EXPECT_FALSE(winograd_fits(good, WinogradKind::F4x5));
  const auto changed = [&](auto change) {
    ConvolutionShape s = good;
    change(s);
    return winograd_fits(s, WinogradKind::F4x3);
  };
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.stride_w = 2; }));
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.dilation_h = 2; }));
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.groups = 2; }));
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.in_c = 24; }));
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.out_c = 10; }));
  EXPECT_FALSE(changed([](ConvolutionShape& s) { s.batch = 0; }));
}

TEST(WinogradChoice, TakesTheWayWithTheLeastWork) {
  ConvolutionShape s;
  s.batch = 16, s.in_h = s.in_w = 32, s.in_c = s.out_c = 64, s.k_h = s.k_w = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
  EXPECT_EQ(choose_winograd(s, 1), WinogradKind::F4x3);
  EXPECT_EQ(choose_winograd(s, 2e-7), WinogradKind::F2x3);
  EXPECT_EQ(choose_winograd(s, 1e-7), std::nullopt);
  s.in_h = s.in_w = 4, s.in_c = s.out_c = 512;  // larger transformed weights would cost more than they save
  EXPECT_EQ(choose_winograd(s, 1), WinogradKind::F2x3);
  s.batch = 1;  // one image does not pay for transforming the weights
  EXPECT_EQ(choose_winograd(s, 1), std::nullopt);
}

}  // namespace
}  // namespace vf::cpu
