#include "cpu/dnnl/convolution.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <thread>

#include "base/parallel.h"
#include "cpu/dnnl_test_util.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {
namespace {

// The convolution by its definition: calls f(source index, weights index, destination index) for every product.
template <class F>
void each_product(const ConvolutionShape& s, const F& f) {
  const int64_t in_group = s.in_c / s.groups, out_group = s.out_c / s.groups;
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t y = 0; y < s.out_h(); ++y)
      for (int64_t x = 0; x < s.out_w(); ++x)
        for (int64_t o = 0; o < s.out_c; ++o)
          for (int64_t ky = 0; ky < s.k_h; ++ky)
            for (int64_t kx = 0; kx < s.k_w; ++kx) {
              const int64_t iy = y * s.stride_h - s.pad_top + ky * s.dilation_h;
              const int64_t ix = x * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
              for (int64_t i = 0; i < in_group; ++i)
                f(static_cast<size_t>(((n * s.in_h + iy) * s.in_w + ix) * s.in_c + o / out_group * in_group + i),
                  static_cast<size_t>(((ky * s.k_w + kx) * in_group + i) * s.out_c + o),
                  static_cast<size_t>(((n * s.out_h() + y) * s.out_w() + x) * s.out_c + o));
            }
}

struct Data {
  explicit Data(const ConvolutionShape& s)
      : shape(s),
        source(random_floats(s.in_size(), 1)),
        weights(random_floats(s.weights_size(), 2)),
        bias(random_floats(s.out_c, 3)),
        gradient(random_floats(s.destination_size(), 4)) {}
  std::vector<Sum> forward(bool with_bias) const {
    std::vector<Sum> sums(gradient.size());
    if (with_bias)
      for (size_t i = 0; i < sums.size(); ++i) sums[i].add(bias[i % bias.size()]);
    each_product(shape, [&](size_t i, size_t w, size_t o) { sums[o].add(double{source[i]} * weights[w]); });
    return sums;
  }
  std::vector<Sum> backward_data() const {
    std::vector<Sum> sums(source.size());
    each_product(shape, [&](size_t i, size_t w, size_t o) { sums[i].add(double{gradient[o]} * weights[w]); });
    return sums;
  }
  std::vector<Sum> backward_weights() const {
    std::vector<Sum> sums(weights.size());
    each_product(shape, [&](size_t i, size_t w, size_t o) { sums[w].add(double{source[i]} * gradient[o]); });
    return sums;
  }
  std::vector<Sum> backward_bias() const {
    std::vector<Sum> sums(bias.size());
    for (size_t i = 0; i < gradient.size(); ++i) sums[i % bias.size()].add(gradient[i]);
    return sums;
  }
  std::vector<float> run_forward(const ConvolutionForward& f, const void* held_weights, const void* held_bias) const {
    std::vector<float> result = unwritten(shape.destination_size());
    const Scratch scratch(f.scratch_bytes());
    f.run(source.data(), held_weights, held_bias, result.data(), scratch.data());
    return result;
  }

  ConvolutionShape shape;
  std::vector<float> source, weights, bias, gradient;
};

void check(const ConvolutionShape& s, int threads) {
  SCOPED_TRACE(testing::Message() << "batch " << s.batch << " in " << s.in_h << 'x' << s.in_w << 'x' << s.in_c
                                  << " kernel " << s.k_h << 'x' << s.k_w << 'x' << s.out_c << " stride " << s.stride_h
                                  << ',' << s.stride_w << " groups " << s.groups << " threads " << threads);
  const Data data(s);
  for (const bool bias : {false, true}) {
    auto f = ConvolutionForward::make(s, {.threads = threads, .bias = bias});
    ASSERT_TRUE(f);
    expect_near(data.run_forward(*f, data.weights.data(), bias ? data.bias.data() : nullptr), data.forward(bias));
  }
  {
    auto f = ConvolutionForward::make(s, {.threads = threads, .bias = true, .relu = true});
    ASSERT_TRUE(f);
    std::vector<Sum> want = data.forward(true);
    for (Sum& sum : want) sum.value = std::max(sum.value, 0.0);
    expect_near(data.run_forward(*f, data.weights.data(), data.bias.data()), want);
  }
  {
    auto f = ConvolutionBackwardData::make(s, {.threads = threads});
    ASSERT_TRUE(f);
    std::vector<float> result = unwritten(s.in_size());
    const Scratch scratch(f->scratch_bytes());
    f->run(data.gradient.data(), data.weights.data(), result.data(), scratch.data());
    expect_near(result, data.backward_data());
  }
  for (const bool bias : {false, true}) {
    auto f = ConvolutionBackwardWeights::make(s, {.threads = threads, .bias = bias});
    ASSERT_TRUE(f);
    std::vector<float> result = unwritten(s.weights_size()), bias_result = unwritten(s.out_c);
    const Scratch scratch(f->scratch_bytes());
    f->run(data.source.data(), data.gradient.data(), result.data(), bias_result.data(), scratch.data());
    expect_near(result, data.backward_weights());
    if (bias) expect_near(bias_result, data.backward_bias());
  }
}

// Named by what is odd about them.
const std::vector<ConvolutionShape>& shapes() {
  static const std::vector<ConvolutionShape> all{
      {.batch = 2,
       .in_h = 8,
       .in_w = 8,
       .in_c = 16,
       .k_h = 3,
       .k_w = 3,
       .out_c = 32,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
      // First layers: 1 and 3 channels, odd numbers of outputs.
      {.batch = 3,
       .in_h = 28,
       .in_w = 28,
       .in_c = 1,
       .k_h = 5,
       .k_w = 5,
       .out_c = 32,
       .pad_top = 2,
       .pad_left = 2,
       .pad_bottom = 2,
       .pad_right = 2},
      {.batch = 1, .in_h = 11, .in_w = 9, .in_c = 3, .k_h = 3, .k_w = 3, .out_c = 10},
      // No channel count is a multiple of a block.
      {.batch = 2,
       .in_h = 7,
       .in_w = 6,
       .in_c = 5,
       .k_h = 2,
       .k_w = 3,
       .out_c = 7,
       .pad_top = 0,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
      {.batch = 2,
       .in_h = 7,
       .in_w = 7,
       .in_c = 17,
       .k_h = 3,
       .k_w = 3,
       .out_c = 33,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1},
      // Strided SAME with padding at the end only, unequal strides, rows and columns that no window reaches.
      {.batch = 2,
       .in_h = 8,
       .in_w = 8,
       .in_c = 16,
       .k_h = 3,
       .k_w = 3,
       .out_c = 32,
       .stride_h = 2,
       .stride_w = 2,
       .pad_bottom = 1,
       .pad_right = 1},
      {.batch = 1,
       .in_h = 9,
       .in_w = 10,
       .in_c = 4,
       .k_h = 3,
       .k_w = 2,
       .out_c = 16,
       .stride_h = 3,
       .stride_w = 2,
       .pad_top = 1},
      {.batch = 2, .in_h = 8, .in_w = 8, .in_c = 16, .k_h = 1, .k_w = 1, .out_c = 32, .stride_h = 2, .stride_w = 2},
      {.batch = 1, .in_h = 8, .in_w = 8, .in_c = 16, .k_h = 1, .k_w = 1, .out_c = 16, .stride_h = 3, .stride_w = 3},
      // Dilated, and with a window wider than the image.
      {.batch = 2,
       .in_h = 12,
       .in_w = 11,
       .in_c = 8,
       .k_h = 3,
       .k_w = 3,
       .out_c = 16,
       .dilation_h = 2,
       .dilation_w = 3,
       .pad_top = 2,
       .pad_left = 3,
       .pad_bottom = 2,
       .pad_right = 3},
      {.batch = 2,
       .in_h = 3,
       .in_w = 2,
       .in_c = 8,
       .k_h = 5,
       .k_w = 5,
       .out_c = 16,
       .pad_top = 2,
       .pad_left = 2,
       .pad_bottom = 2,
       .pad_right = 2},
      // One pixel, one channel, one image.
      {.batch = 1, .in_h = 1, .in_w = 1, .in_c = 1, .k_h = 1, .k_w = 1, .out_c = 1},
      // Grouped and depthwise, with a multiplier.
      {.batch = 2,
       .in_h = 6,
       .in_w = 6,
       .in_c = 32,
       .k_h = 3,
       .k_w = 3,
       .out_c = 64,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1,
       .groups = 2},
      {.batch = 2,
       .in_h = 6,
       .in_w = 6,
       .in_c = 16,
       .k_h = 3,
       .k_w = 3,
       .out_c = 16,
       .pad_top = 1,
       .pad_left = 1,
       .pad_bottom = 1,
       .pad_right = 1,
       .groups = 16},
  };
  return all;
}

TEST(DnnlConvolution, IsRightOnOneThread) {
  for (const ConvolutionShape& s : shapes()) check(s, 1);
}

TEST(DnnlConvolution, IsRightOnTwoThreads) {
  for (const ConvolutionShape& s : shapes()) check(s, 2);
}

TEST(DnnlConvolution, OfNothingIsNothingOrZero) {
  const ConvolutionShape s{.batch = 0, .in_h = 8, .in_w = 8, .in_c = 3, .k_h = 3, .k_w = 3, .out_c = 4};
  check(s, 1);
  ConvolutionShape no_room{.batch = 2, .in_h = 2, .in_w = 8, .in_c = 3, .k_h = 3, .k_w = 3, .out_c = 4};
  check(no_room, 1);
}

TEST(DnnlConvolution, DeclinesOtherTypes) {
  const ConvolutionShape& s = shapes()[0];
  EXPECT_FALSE(ConvolutionForward::make(s, {.dtype = DType::Double}));
  EXPECT_FALSE(ConvolutionBackwardData::make(s, {.dtype = DType::Half}));
  EXPECT_FALSE(ConvolutionBackwardWeights::make(s, {.dtype = DType::Int32}));
  ConvolutionShape uneven = s;
  uneven.groups = 3;
  EXPECT_FALSE(ConvolutionForward::make(uneven, {}));
}

// Weights that stay in a layout that one of the passes prefers: all three take and give them so.
void check_held(const ConvolutionShape& s, const Layout& held) {
  SCOPED_TRACE(held.str());
  const Data data(s);
  const Layout plain = plain_weights(s, DType::Float);
  std::unique_ptr<Reorder> pack = Reorder::make(plain, held, 2), unpack = Reorder::make(held, plain, 2);
  ASSERT_TRUE(pack && unpack) << held.str();
  const Scratch packed(held.bytes());
  const Scratch pack_scratch(pack->scratch_bytes());
  pack->run(data.weights.data(), packed.data(), pack_scratch.data());
  const std::vector<char> before(static_cast<char*>(packed.data()), static_cast<char*>(packed.data()) + held.bytes());

  auto forward = ConvolutionForward::make(s, {.threads = 2, .weights = held});
  ASSERT_TRUE(forward);
  expect_near(data.run_forward(*forward, packed.data(), nullptr), data.forward(false));

  auto backward_data = ConvolutionBackwardData::make(s, {.threads = 2, .weights = held});
  ASSERT_TRUE(backward_data);
  std::vector<float> d_source = unwritten(s.in_size());
  const Scratch data_scratch(backward_data->scratch_bytes());
  backward_data->run(data.gradient.data(), packed.data(), d_source.data(), data_scratch.data());
  expect_near(d_source, data.backward_data());
  EXPECT_EQ(std::memcmp(before.data(), packed.data(), held.bytes()), 0);

  auto backward_weights = ConvolutionBackwardWeights::make(s, {.threads = 2, .weights = held});
  ASSERT_TRUE(backward_weights);
  const Scratch gradient(held.bytes()), again(held.bytes()), weights_scratch(backward_weights->scratch_bytes());
  for (int round = 0; round < 2; ++round) {  // the second one into the same memory, made dirty again
    std::memset(gradient.data(), 0xFF, held.bytes());
    std::memset(weights_scratch.data(), 0xFF, backward_weights->scratch_bytes());
    backward_weights->run(data.source.data(), data.gradient.data(), gradient.data(), nullptr, weights_scratch.data());
    std::vector<float> d_weights = unwritten(s.weights_size());
    unpack->run(gradient.data(), d_weights.data(), pack_scratch.data());
    expect_near(d_weights, data.backward_weights());
    // Padding is zero: what was unpacked and packed again has the same bytes.
    pack->run(d_weights.data(), again.data(), pack_scratch.data());
    for (size_t i = 0; i < held.bytes() / sizeof(float); ++i) ASSERT_EQ(gradient.floats()[i], again.floats()[i]);
  }
}

TEST(DnnlConvolution, TakesWeightsAsTheyAreHeld) {
  for (const ConvolutionShape& s : shapes()) {
    check_held(s, ConvolutionForward::make(s, {.threads = 2})->preferred_weights());
    check_held(s, ConvolutionBackwardData::make(s, {.threads = 2})->preferred_weights());
    check_held(s, ConvolutionBackwardWeights::make(s, {.threads = 2})->preferred_weights());
  }
}

// One layout for forward and the gradient, so that training copies weights once a step, not three times.
TEST(DnnlConvolution, ComputesForwardInTheLayoutOfTheGradient) {
  for (const size_t i : {0, 1, 5}) {
    const Layout held = ConvolutionBackwardWeights::make(shapes()[i], {})->preferred_weights();
    auto f = ConvolutionForward::make(shapes()[i], {.weights = held});
    const bool avx512 = f->implementation().find("avx512") != std::string::npos;
    EXPECT_TRUE(f->preferred_weights() == held || !avx512) << f->implementation();
  }
}

TEST(Layout, IsEqualIfElementsLieAtTheSamePlaces) {
  const std::array<int64_t, 2> dims{6, 4}, rows{4, 1}, columns{1, 6}, one_row{1, 4};
  const auto layout = [](const auto& sizes, const auto& strides) {
    return Layout::strided(DType::Float, sizes, strides);
  };
  EXPECT_EQ(layout(dims, rows), layout(dims, rows));
  EXPECT_FALSE(layout(dims, rows) == layout(dims, columns));
  EXPECT_FALSE(layout(dims, rows) == Layout());
  EXPECT_FALSE(layout(dims, rows) == Layout::strided(DType::BFloat16, dims, rows));
  EXPECT_EQ(layout(one_row, rows), layout(one_row, std::array<int64_t, 2>{77, 1}));
  // oneDNN's blocks of 32 outputs, one of them, where it uses such: the same as HWIO.
  const Layout blocked = ConvolutionForward::make(shapes()[1], {})->preferred_weights();
  EXPECT_TRUE(blocked == plain_weights(shapes()[1], DType::Float) ||
              blocked.str() != "32x1x5x5 strides 800,32,160,32 blocks 32a");
}

// Sums in float, results rounded once. Declined where the processor cannot.
TEST(DnnlConvolution, ComputesWithBfloat16) {
  for (const size_t i : {0, 4, 6}) {
    const ConvolutionShape& s = shapes()[i];
    Data data(s);
    const std::vector<BFloat16> source = round_to_bfloat16(data.source), weights = round_to_bfloat16(data.weights),
                                gradient = round_to_bfloat16(data.gradient), bias = round_to_bfloat16(data.bias);
    ConvolutionOptions options{.dtype = DType::BFloat16, .threads = 2, .bias = true};
    auto forward = ConvolutionForward::make(s, options);
    auto backward_data = ConvolutionBackwardData::make(s, options);
    auto backward_weights = ConvolutionBackwardWeights::make(s, options);
    if (!forward || !backward_data || !backward_weights) GTEST_SKIP() << "no bfloat16 on this processor";
    std::vector<BFloat16> result(data.gradient.size()), d_source(source.size()), d_weights(weights.size()),
        d_bias(bias.size());
    const Scratch scratch(
        std::max({forward->scratch_bytes(), backward_data->scratch_bytes(), backward_weights->scratch_bytes()}));
    forward->run(source.data(), weights.data(), bias.data(), result.data(), scratch.data());
    expect_near(widened(result), data.forward(true), kBfloat16Tolerance);
    backward_data->run(gradient.data(), weights.data(), d_source.data(), scratch.data());
    expect_near(widened(d_source), data.backward_data(), kBfloat16Tolerance);
    backward_weights->run(source.data(), gradient.data(), d_weights.data(), d_bias.data(), scratch.data());
    expect_near(widened(d_weights), data.backward_weights(), kBfloat16Tolerance);
    expect_near(widened(d_bias), data.backward_bias(), kBfloat16Tolerance);
  }
}

// Weights may be shared with other runs: not even their padding is written.
TEST(DnnlConvolution, WritesNothingIntoWeights) {
  const ConvolutionShape& s = shapes()[4];
  const Data data(s);
  const Layout held = ConvolutionForward::make(s, {})->preferred_weights();
  if (!held.padded()) GTEST_SKIP() << "no padding on this processor";
  auto f = ConvolutionForward::make(s, {.weights = held});
  std::vector<float> weights(held.bytes() / sizeof(float), 7.0F);
  data.run_forward(*f, weights.data(), nullptr);
  EXPECT_EQ(weights, std::vector<float>(weights.size(), 7.0F));
}

TEST(DnnlConvolution, TakesAnyAlignmentOfFloats) {
  const ConvolutionShape& s = shapes()[0];
  const Data data(s);
  auto f = ConvolutionForward::make(s, {.threads = 1});
  std::vector<float> source(data.source.size() + 1), weights(data.weights.size() + 1);
  std::copy(data.source.begin(), data.source.end(), source.begin() + 1);
  std::copy(data.weights.begin(), data.weights.end(), weights.begin() + 1);
  std::vector<float> result = unwritten(s.destination_size() + 1);
  const Scratch scratch(f->scratch_bytes());
  f->run(source.data() + 1, weights.data() + 1, nullptr, result.data() + 1, scratch.data());
  result.erase(result.begin());
  expect_near(result, data.forward(false));
}

// Made for one thread: right within a parallel region, where oneDNN gets no other.
TEST(DnnlConvolution, RunsWithinAParallelRegion) {
  const ConvolutionShape& s = shapes()[0];
  const Data data(s);
  auto f = ConvolutionBackwardWeights::make(s, {.threads = 1});
  std::vector<std::vector<float>> results(2, unwritten(s.weights_size()));
  const Scratch scratch0(f->scratch_bytes()), scratch1(f->scratch_bytes());
#pragma omp parallel num_threads(2)
  {
    const int me = omp_get_thread_num();
    f->run(data.source.data(), data.gradient.data(), results[me].data(), nullptr,
           me ? scratch1.data() : scratch0.data());
  }
  for (const auto& result : results) expect_near(result, data.backward_weights());
}

TEST(DnnlConvolution, RefusesToRunWithFewerThreadsThanItWasMadeFor) {
  const ConvolutionShape& s = shapes()[0];
  const Data data(s);
  auto f = ConvolutionBackwardWeights::make(s, {.threads = 2});
  std::vector<float> result = unwritten(s.weights_size());
  const Scratch scratch(f->scratch_bytes());
  int refused = 0;
#pragma omp parallel num_threads(2) reduction(+ : refused)
  {
#pragma omp single
    try {
      f->run(data.source.data(), data.gradient.data(), result.data(), nullptr, scratch.data());
    } catch (const Error& e) {
      refused = e.code() == Code::FailedPrecondition;
    }
  }
  EXPECT_EQ(refused, 1);
}

// The caller's own setting of OpenMP does not matter, and is left as it was.
TEST(DnnlConvolution, IgnoresTheCallersThreadCount) {
  const ConvolutionShape& s = shapes()[0];
  const Data data(s);
  const int before = omp_get_max_threads();
  for (const int ambient : {1, 3}) {
    omp_set_num_threads(ambient);
    auto f = ConvolutionBackwardWeights::make(s, {.threads = 2});
    omp_set_num_threads(4 - ambient);
    std::vector<float> result = unwritten(s.weights_size());
    const Scratch scratch(f->scratch_bytes());
    f->run(data.source.data(), data.gradient.data(), result.data(), nullptr, scratch.data());
    expect_near(result, data.backward_weights());
    EXPECT_EQ(omp_get_max_threads(), 4 - ambient);
  }
  omp_set_num_threads(before);
}

// On small images, so that most of a run is what the two could do to each other's arguments.
TEST(DnnlConvolution, RunsInTwoThreadsAtOnce) {
  const ConvolutionShape s{.batch = 1, .in_h = 3, .in_w = 3, .in_c = 16, .k_h = 3, .k_w = 3, .out_c = 16};
  const Data a(s);
  Data b(s);
  b.source = random_floats(s.in_size(), 9);
  const Layout held = ConvolutionForward::make(s, {})->preferred_weights();
  auto f = ConvolutionForward::make(s, {.weights = held});
  const std::vector<float> weights = random_floats(static_cast<int64_t>(held.bytes() / sizeof(float)), 5);
  const std::vector<float> want_a = a.run_forward(*f, weights.data(), nullptr);
  const std::vector<float> want_b = b.run_forward(*f, weights.data(), nullptr);
  ASSERT_NE(want_a, want_b);
  auto repeat = [&](const Data& data, const std::vector<float>& want, int& wrong) {
    const Scratch scratch(f->scratch_bytes());
    std::vector<float> result(want.size());
    for (int i = 0; i < 20000; ++i) {
      std::fill(result.begin(), result.end(), 0.0F);
      f->run(data.source.data(), weights.data(), nullptr, result.data(), scratch.data());
      wrong += result != want;
    }
  };
  int wrong_a = 0, wrong_b = 0;
  std::thread one([&] { repeat(a, want_a, wrong_a); }), two([&] { repeat(b, want_b, wrong_b); });
  one.join();
  two.join();
  EXPECT_EQ(wrong_a, 0);
  EXPECT_EQ(wrong_b, 0);
}

}  // namespace
}  // namespace vf::cpu::dnnl
