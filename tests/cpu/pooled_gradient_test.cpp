// Gradients through a ReLU and a max-pooling, against the definition in double.
#include "cpu/pooled_gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cpu_test_util.h"
#include "dnnl_test_util.h"

namespace vf::cpu {
namespace {

using dnnl::random_floats;
using dnnl::Scratch;
using dnnl::unwritten;

struct Data {
  Data(const PoolingShape& p, const ConvolutionShape& s)
      : images(random_floats(s.in_size(), 1)),
        activations(random_floats(p.in_size(), 2)),
        gradients(random_floats(p.out_size(), 3)),
        pooled(static_cast<size_t>(p.out_size())),
        behind(static_cast<size_t>(p.in_size()), 0.0) {
    for (float& a : activations) a = std::max(a, 0.0F);  // half of all windows of one channel have a tie of zeros
    for (int64_t o = 0; o < p.out_size(); ++o) {
      const int64_t c = o % p.channels, x = o / p.channels % p.out_w(), y = o / p.channels / p.out_w() % p.out_h(),
                    b = o / p.channels / p.out_w() / p.out_h();
      int64_t best = -1;
      for (int64_t i = 0; i < p.k_h * p.k_w; ++i) {
        const int64_t row = y * p.stride_h + i / p.k_w, column = x * p.stride_w + i % p.k_w;
        const int64_t at = ((b * p.in_h + row) * p.in_w + column) * p.channels + c;
        if (best < 0 || activations[static_cast<size_t>(at)] > activations[static_cast<size_t>(best)]) best = at;
      }
      pooled[static_cast<size_t>(o)] = activations[static_cast<size_t>(best)];
      if (pooled[static_cast<size_t>(o)] > 0)
        behind[static_cast<size_t>(best)] += double{gradients[static_cast<size_t>(o)]};
    }
  }
  std::vector<float> images, activations, gradients, pooled;
  std::vector<double> behind;  // the gradient for the ReLU's input
};

ConvolutionShape convolution(int64_t batch, int64_t h, int64_t w, int64_t in_c, int64_t out_c, int64_t k) {
  ConvolutionShape s;
  s.batch = batch, s.in_h = h, s.in_w = w, s.in_c = in_c, s.out_c = out_c, s.k_h = s.k_w = k;
  s.pad_top = s.pad_left = (k - 1) / 2;
  s.pad_bottom = s.pad_right = k - 1 - s.pad_top;
  return s;
}

PoolingShape pooling(const ConvolutionShape& s) {
  return {.batch = s.batch,
          .in_h = s.out_h(),
          .in_w = s.out_w(),
          .channels = s.out_c,
          .k_h = 2,
          .k_w = 2,
          .stride_h = 2,
          .stride_w = 2};
}

const std::vector<ConvolutionShape>& shapes() {
  static const std::vector<ConvolutionShape> all = {convolution(3, 6, 8, 1, 16, 5), convolution(20, 4, 4, 3, 48, 3),
                                                    convolution(1, 12, 2, 4, 32, 4), convolution(33, 28, 28, 1, 32, 5)};
  return all;
}

void expect_near(const std::vector<double>& want, const std::vector<float>& got) {
  double norm = 0, difference = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    norm += want[i] * want[i];
    difference += (got[i] - want[i]) * (got[i] - want[i]);
  }
  EXPECT_LE(std::sqrt(difference), 3e-7 * std::sqrt(norm));
}

TEST(PooledGradient, OfWeightsIsTheDefinitions) {
  for (const ConvolutionShape& s : shapes()) {
    const PoolingShape p = pooling(s);
    ASSERT_TRUE(pooled_weights_gradient_fits(p, s));
    const Data d(p, s);
    std::vector<double> want(static_cast<size_t>(s.weights_size()), 0.0);
    for (int64_t o = 0; o < s.destination_size(); ++o) {
      const double gradient = d.behind[static_cast<size_t>(o)];
      if (gradient == 0) continue;
      const int64_t k = o % s.out_c, x = o / s.out_c % s.out_w(), y = o / s.out_c / s.out_w() % s.out_h(),
                    b = o / s.out_c / s.out_w() / s.out_h();
      for (int64_t i = 0; i < s.k_h; ++i)
        for (int64_t j = 0; j < s.k_w; ++j)
          for (int64_t c = 0; c < s.in_c; ++c) {
            const int64_t row = y - s.pad_top + i, column = x - s.pad_left + j;
            if (row < 0 || row >= s.in_h || column < 0 || column >= s.in_w) continue;
            want[static_cast<size_t>(((i * s.k_w + j) * s.in_c + c) * s.out_c + k)] +=
                gradient * double{d.images[static_cast<size_t>(((b * s.in_h + row) * s.in_w + column) * s.in_c + c)]};
          }
    }
    std::vector<float> first;
    for (const Isa isa : supported_isas())
      for (const int threads : {1, 2, 3}) {
        const Scratch scratch(pooled_weights_gradient_scratch(s, threads));
        std::vector<float> got = unwritten(s.weights_size());
        pooled_weights_gradient(p, s, d.images.data(), d.activations.data(), d.gradients.data(), got.data(),
                                scratch.data(), threads, isa);
        expect_near(want, got);
        if (first.empty()) first = got;
        EXPECT_EQ(got, first) << isa_name(isa) << ", " << threads << " threads";
      }
  }
}

TEST(PooledGradient, OfBiasIsTheDefinitions) {
  for (const ConvolutionShape& s : shapes()) {
    const PoolingShape p = pooling(s);
    const Data d(p, s);
    std::vector<double> want(static_cast<size_t>(s.out_c), 0.0);
    for (size_t i = 0; i < d.behind.size(); ++i) want[i % static_cast<size_t>(s.out_c)] += d.behind[i];
    std::vector<float> first;
    for (const Isa isa : supported_isas())
      for (const int threads : {1, 2, 3}) {
        const Scratch scratch(pooled_bias_gradient_scratch(s.out_c));
        std::vector<float> got = unwritten(s.out_c);
        pooled_bias_gradient(p, d.pooled.data(), d.gradients.data(), got.data(), scratch.data(), threads, isa);
        expect_near(want, got);
        if (first.empty()) first = got;
        EXPECT_EQ(got, first) << isa_name(isa) << ", " << threads << " threads";
      }
  }
}

TEST(PooledGradient, FitsSquaresOfTwoAndFewInputChannels) {
  const ConvolutionShape s = convolution(2, 8, 8, 3, 16, 3);
  EXPECT_TRUE(pooled_weights_gradient_fits(pooling(s), s));
  const ConvolutionShape deep = convolution(2, 8, 8, 5, 16, 3), odd = convolution(2, 7, 8, 3, 16, 3);
  EXPECT_FALSE(pooled_weights_gradient_fits(pooling(deep), deep));
  EXPECT_FALSE(pooled_weights_gradient_fits(pooling(odd), odd));
  PoolingShape overlapping = pooling(s);
  overlapping.stride_h = 1;
  EXPECT_FALSE(pooled_weights_gradient_fits(overlapping, s));
}

}  // namespace
}  // namespace vf::cpu
