// The layers of LeNet (batch 128) and of a ResNet-18 for CIFAR images (batch 16), one by one, through src/cpu:
// what each costs, what keeping weights in plain HWIO adds, and what making and starting a primitive costs.
// /2/: on two threads. On a machine with neighbours, the least of many short repetitions says most:
//   dnnl_bench --benchmark_filter=lenet --benchmark_repetitions=20 --benchmark_min_time=0.01
#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "cpu/batch_norm.h"
#include "cpu/dnnl/convolution.h"
#include "cpu/dnnl/matmul.h"
#include "cpu/dnnl/pooling.h"
#include "cpu/max_pool_gradient.h"

namespace {

using namespace vf::cpu;
using namespace vf::cpu::dnnl;

// 64-byte aligned floats; nothing here is timed.
class Array {
 public:
  explicit Array(size_t floats)
      : data_(static_cast<float*>(::operator new(floats * sizeof(float) + 64, std::align_val_t(64)))) {
    std::minstd_rand generator(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (size_t i = 0; i < floats; ++i) data_[i] = uniform(generator);
  }
  template <class Integer>
  explicit Array(Integer floats) : Array(static_cast<size_t>(floats)) {}
  static Array bytes(size_t n) { return Array((n + 3) / 4); }
  ~Array() { ::operator delete(data_, std::align_val_t(64)); }
  Array(const Array&) = delete;
  operator float*() const { return data_; }

 private:
  float* data_;
};

void flops(benchmark::State& state, double multiply_adds) {
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * multiply_adds, benchmark::Counter::kIsIterationInvariantRate);
}

void report(benchmark::State& state, const std::string& implementation) { state.SetLabel(implementation); }

// `held`: weights in the layout that the primitive prefers instead of HWIO.
void convolution_forward(benchmark::State& state, ConvolutionShape s, int threads, bool held) {
  ConvolutionOptions options{.threads = threads, .bias = true, .relu = true};
  if (held) options.weights = ConvolutionForward::make(s, options)->preferred_weights();
  auto f = ConvolutionForward::make(s, options);
  const Array source(s.in_size()), weights(Array::bytes(f->preferred_weights().bytes())), bias(s.out_c),
      destination(s.destination_size()), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(source, weights, bias, destination, scratch);
  flops(state, static_cast<double>(s.destination_size()) * s.k_h * s.k_w * s.in_c);
  report(state, f->implementation());
}

void convolution_backward_data(benchmark::State& state, ConvolutionShape s, int threads, bool held) {
  ConvolutionOptions options{.threads = threads};
  if (held) options.weights = ConvolutionBackwardData::make(s, options)->preferred_weights();
  auto f = ConvolutionBackwardData::make(s, options);
  const Array source(s.in_size()), weights(Array::bytes(f->preferred_weights().bytes())),
      destination(s.destination_size()), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(destination, weights, source, scratch);
  flops(state, static_cast<double>(s.destination_size()) * s.k_h * s.k_w * s.in_c);
  report(state, f->implementation());
}

void convolution_backward_weights(benchmark::State& state, ConvolutionShape s, int threads, bool held) {
  ConvolutionOptions options{.threads = threads, .bias = true};
  if (held) options.weights = ConvolutionBackwardWeights::make(s, options)->preferred_weights();
  auto f = ConvolutionBackwardWeights::make(s, options);
  const Array source(s.in_size()), weights(Array::bytes(f->preferred_weights().bytes())), bias(s.out_c),
      destination(s.destination_size()), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(source, destination, weights, bias, scratch);
  flops(state, static_cast<double>(s.destination_size()) * s.k_h * s.k_w * s.in_c);
  report(state, f->implementation());
}

void reorder(benchmark::State& state, ConvolutionShape s, int threads) {
  const Layout plain = plain_weights(s, vf::DType::Float);
  const Layout blocked = ConvolutionForward::make(s, {.threads = threads})->preferred_weights();
  auto f = Reorder::make(plain, blocked, threads);
  const Array from(s.weights_size()), to(Array::bytes(blocked.bytes())), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(from, to, scratch);
  report(state, blocked.str());
}

void matmul(benchmark::State& state, const MatmulShape& s, int threads) {
  auto f = Matmul::make(s, {.threads = threads});
  const Array a(s.m * s.k), b(s.k * s.n), c(s.m * s.n), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(a, b, nullptr, c, scratch);
  flops(state, static_cast<double>(s.m) * s.k * s.n);
  report(state, f->implementation());
}

void pooling_forward(benchmark::State& state, PoolingKind kind, PoolingShape s, int threads) {
  auto f = PoolingForward::make(kind, s, vf::DType::Float, threads);
  const Array source(s.in_size()), destination(s.out_size()), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(source, destination, scratch);
  report(state, f->implementation());
}

void average_pooling_backward(benchmark::State& state, PoolingShape s, int threads) {
  auto f = AveragePoolingBackward::make(s, vf::DType::Float, threads);
  const Array source(s.in_size()), destination(s.out_size()), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(destination, source, scratch);
  report(state, f->implementation());
}

void max_pooling_backward(benchmark::State& state, PoolingShape s, int threads) {
  const Array source(s.in_size()), gradient(s.in_size()), destination(s.out_size());
  for (auto _ : state) max_pool_gradient(s, source, destination, gradient, threads);
}

void batch_norm(benchmark::State& state, BatchNormShape s, int threads, bool backward) {
  const int64_t c = s.channels;
  const Array x(s.rows * c), y(s.rows * c), dx(s.rows * c), scale(c), offset(c), mean(c), variance(c), d_scale(c),
      d_offset(c), scratch(Array::bytes(batch_norm_scratch_bytes(s)));
  batch_norm_train(s, x, scale, offset, y, mean, variance, scratch, {.threads = threads});
  const BatchNormGradient gradient{.dy = y,
                                   .x = x,
                                   .scale = scale,
                                   .mean = mean,
                                   .variance = variance,
                                   .dx = dx,
                                   .d_scale = d_scale,
                                   .d_offset = d_offset};
  if (backward)
    for (auto _ : state) batch_norm_gradient(s, true, gradient, scratch, threads);
  else
    for (auto _ : state) batch_norm_train(s, x, scale, offset, y, mean, variance, scratch, {.threads = threads});
}

// The smallest convolution: what starting one costs.
void start(benchmark::State& state) {
  const ConvolutionShape s{.batch = 1, .in_h = 1, .in_w = 1, .in_c = 16, .k_h = 1, .k_w = 1, .out_c = 16};
  ConvolutionOptions options;
  options.weights = ConvolutionForward::make(s, options)->preferred_weights();
  auto f = ConvolutionForward::make(s, options);
  const Array source(16), weights(256), destination(16), scratch(Array::bytes(f->scratch_bytes()));
  for (auto _ : state) f->run(source, weights, nullptr, destination, scratch);
}

void make_cached(benchmark::State& state) {
  const ConvolutionShape s{.batch = 16, .in_h = 32, .in_w = 32, .in_c = 64, .k_h = 3, .k_w = 3, .out_c = 64};
  for (auto _ : state) benchmark::DoNotOptimize(ConvolutionForward::make(s, {}));
}

void make_new(benchmark::State& state) {
  static ConvolutionShape s{.batch = 16, .in_h = 32, .in_w = 32, .in_c = 64, .k_h = 3, .k_w = 3, .out_c = 64};
  for (auto _ : state) {
    ++s.batch;  // never seen before
    benchmark::DoNotOptimize(ConvolutionForward::make(s, {}));
  }
}

template <class F, class... Arguments>
void add(const std::string& name, F f, Arguments... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { f(state, arguments...); })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime()
      ->ComputeStatistics("min", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); });
}

ConvolutionShape same(int64_t batch, int64_t size, int64_t in_c, int64_t k, int64_t out_c, int64_t stride = 1) {
  const int64_t out = (size + stride - 1) / stride, pad = std::max<int64_t>((out - 1) * stride + k - size, 0);
  return {.batch = batch,
          .in_h = size,
          .in_w = size,
          .in_c = in_c,
          .k_h = k,
          .k_w = k,
          .out_c = out_c,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = pad / 2,
          .pad_left = pad / 2,
          .pad_bottom = pad - pad / 2,
          .pad_right = pad - pad / 2};
}

void add_convolution(const std::string& name, const ConvolutionShape& s, int threads) {
  for (const bool held : {false, true}) {
    const std::string tail = held ? "/held" : "/plain";
    add(name + "/forward" + tail, convolution_forward, s, threads, held);
    add(name + "/backward_data" + tail, convolution_backward_data, s, threads, held);
    add(name + "/backward_weights" + tail, convolution_backward_weights, s, threads, held);
  }
  add(name + "/reorder", reorder, s, threads);
}

void add_dense(const std::string& name, int64_t batch, int64_t in, int64_t out, int threads) {
  add(name + "/forward", matmul, MatmulShape{.m = batch, .k = in, .n = out}, threads);
  add(name + "/backward_data", matmul, MatmulShape{.m = batch, .k = out, .n = in, .transpose_b = true}, threads);
  add(name + "/backward_weights", matmul, MatmulShape{.m = in, .k = batch, .n = out, .transpose_a = true}, threads);
}

void add_pooling(const std::string& name, const PoolingShape& s, int threads) {
  add(name + "/max_forward", pooling_forward, PoolingKind::Max, s, threads);
  add(name + "/max_backward", max_pooling_backward, s, threads);
  add(name + "/average_forward", pooling_forward, PoolingKind::Average, s, threads);
  add(name + "/average_backward", average_pooling_backward, s, threads);
}

void add_batch_norm(const std::string& name, const BatchNormShape& s, int threads) {
  add(name + "/forward", batch_norm, s, threads, false);
  add(name + "/backward", batch_norm, s, threads, true);
}

void add_all(int threads) {
  const std::string end = "/" + std::to_string(threads);
  add_convolution("lenet/conv1_5x5x1x32_28" + end, same(128, 28, 1, 5, 32), threads);
  add_convolution("lenet/conv2_5x5x32x64_14" + end, same(128, 14, 32, 5, 64), threads);
  add_pooling("lenet/pool1_28x28x32" + end,
              {.batch = 128, .in_h = 28, .in_w = 28, .channels = 32, .k_h = 2, .k_w = 2, .stride_h = 2, .stride_w = 2},
              threads);
  add_pooling("lenet/pool2_14x14x64" + end,
              {.batch = 128, .in_h = 14, .in_w = 14, .channels = 64, .k_h = 2, .k_w = 2, .stride_h = 2, .stride_w = 2},
              threads);
  add_dense("lenet/dense1_3136x512" + end, 128, 3136, 512, threads);
  add_dense("lenet/dense2_512x10" + end, 128, 512, 10, threads);
  add_convolution("resnet/stem_3x3x3x64_32" + end, same(16, 32, 3, 3, 64), threads);
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t size = 32 >> stage, c = 64 << stage;
    const std::string at = "_" + std::to_string(size) + end;
    add_convolution("resnet/conv_3x3x" + std::to_string(c) + at, same(16, size, c, 3, c), threads);
    if (stage > 0) {
      add_convolution("resnet/down_3x3x" + std::to_string(c) + at, same(16, 2 * size, c / 2, 3, c, 2), threads);
      add_convolution("resnet/skip_1x1x" + std::to_string(c) + at, same(16, 2 * size, c / 2, 1, c, 2), threads);
    }
    add_batch_norm("resnet/batch_norm_" + std::to_string(c) + at, {.rows = 16 * size * size, .channels = c}, threads);
  }
  add_pooling("resnet/pool_16x16x256_k3s2" + end,
              {.batch = 16, .in_h = 16, .in_w = 16, .channels = 256, .k_h = 3, .k_w = 3, .stride_h = 2, .stride_w = 2},
              threads);
}

}  // namespace

int main(int argc, char** argv) {
  for (const int threads : {1, 2}) add_all(threads);
  add("start", start);
  add("make_cached", make_cached);
  add("make_new", make_new);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
