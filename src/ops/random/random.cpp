// Random ops with a state of their own in the session: Philox streams, equal to TensorFlow's bit by bit.
#include "cpu/random.h"

#include <mutex>
#include <random>

#include "base/coding.h"
#include "cpu/philox.h"
#include "graph/shape_rules.h"
#include "ops/register.h"

namespace vf {
namespace {

// The stream of one op in one session.
class PhiloxStream : public Resource {
 public:
  PhiloxStream(int64_t seed, int64_t seed2) {
    if (seed == 0 && seed2 == 0) {  // no seed: another stream in each session
      std::random_device device;
      const auto draw = [&] { return static_cast<int64_t>(uint64_t{device()} << 32 | device()); };
      seed = draw();
      seed2 = draw();
    }
    state_ = cpu::Philox::from_seeds(seed, seed2);
  }
  // The state before this run; the next run starts `calls` later.
  cpu::Philox take(uint64_t calls) {
    std::lock_guard lock(mutex_);
    const cpu::Philox before = state_;
    state_.skip(calls);
    return before;
  }

  // Counter, then key.
  std::optional<std::string> save() const override {
    std::lock_guard lock(mutex_);
    std::string bytes;
    put_fixed64(&bytes, state_.counter_low);
    put_fixed64(&bytes, state_.counter_high);
    put_fixed32(&bytes, state_.key[0]);
    put_fixed32(&bytes, state_.key[1]);
    return bytes;
  }
  void restore(const std::string& bytes) override {
    if (bytes.size() != 24) throw Error(Code::DataLoss, "not the state of a random op");
    std::lock_guard lock(mutex_);
    state_.counter_low = load_fixed64(bytes.data());
    state_.counter_high = load_fixed64(bytes.data() + 8);
    state_.key[0] = load_fixed32(bytes.data() + 16);
    state_.key[1] = load_fixed32(bytes.data() + 20);
  }

 private:
  mutable std::mutex mutex_;
  cpu::Philox state_;
};

std::shared_ptr<PhiloxStream> stream_of(const KernelMake& m) {
  const int64_t seed = m.attr<int64_t>("seed");
  const int64_t seed2 = m.attr<int64_t>("seed2");
  return m.resources()->get<PhiloxStream>("", m.node().full_name(), "Philox",
                                          [=] { return std::make_shared<PhiloxStream>(seed, seed2); });
}

void shape_of_input(ShapeContext& c) {
  const Shape s = shape_rule::shape_from_input(c, 0);
  if (c.constant_ints(0) && !s.fully_defined()) c.fail("Dimension -1 must be >= 0");
  c.set_output(0, s);
}

enum class Distribution { Uniform, Normal, TruncatedNormal };

template <class T>
std::unique_ptr<Kernel> fill(Distribution d, const KernelMake& m) {
  const int64_t n = m.output_shape().num_elements();
  const int threads = m.threads();
  const auto stream = stream_of(m);
  return kernel([=](KernelRun& r) {
    const cpu::Philox base = stream->take(cpu::fill_calls(n));
    if (d == Distribution::Uniform) cpu::fill_uniform(base, n, r.output<T>(), threads);
    if (d == Distribution::Normal) cpu::fill_normal(base, n, r.output<T>(), threads);
    if (d == Distribution::TruncatedNormal) cpu::fill_truncated_normal(base, n, r.output<T>(), threads);
  });
}

KernelFunction fill_kernel(Distribution d) {
  return [d](KernelMake& m) -> std::unique_ptr<Kernel> {
    switch (m.output_dtype()) {
      case DType::Half: return fill<Half>(d, m);
      case DType::BFloat16: return fill<BFloat16>(d, m);
      case DType::Float: return fill<float>(d, m);
      case DType::Double: return fill<double>(d, m);
      default: return nullptr;
    }
  };
}

template <class T>
std::unique_ptr<Kernel> fill_int(const KernelMake& m) {
  const int64_t n = m.output_shape().num_elements();
  const int threads = m.threads();
  const auto stream = stream_of(m);
  return kernel([=](KernelRun& r) {
    const T low = *r.input<T>(1);
    const T high = *r.input<T>(2);
    if (low >= high)
      throw Error(Code::InvalidArgument,
                  "Need minval < maxval, got " + std::to_string(low) + " >= " + std::to_string(high));
    cpu::fill_uniform_int(stream->take(cpu::fill_calls(n)), n, low, high, r.output<T>(), threads);
  });
}

}  // namespace

void register_random_ops(OpRegistry& r) {
  const struct {
    const char* name;
    Distribution distribution;
    const char* doc;
  } fills[] = {
      {"RandomUniform", Distribution::Uniform, "Uniform numbers in [0, 1)."},
      {"RandomStandardNormal", Distribution::Normal, "Normal numbers with mean 0 and deviation 1."},
      {"TruncatedNormal", Distribution::TruncatedNormal,
       "Normal numbers, drawn again where they are 2 or more from 0."},
  };
  for (const auto& f : fills)
    r.op(f.name)
        .in("shape: T")
        .out("output: dtype")
        .attr("seed: int = 0")
        .attr("seed2: int = 0")
        .attr("dtype: {half, bfloat16, float, double}")
        .attr("T: {int32, int64}")
        .random()
        .doc(f.doc)
        .shape(shape_of_input)
        .cpu(fill_kernel(f.distribution))
        .no_grad()
        .example({.inputs = {Tensor::vector<int32_t>({2, 3})},
                  .attrs = {{"dtype", DType::Float}, {"seed", 1}, {"seed2", 2}}});

  r.op("RandomUniformInt")
      .in("shape: T")
      .in("minval: Tout")
      .in("maxval: Tout")
      .out("output: Tout")
      .attr("seed: int = 0")
      .attr("seed2: int = 0")
      .attr("Tout: {int32, int64}")
      .attr("T: {int32, int64}")
      .random()
      .doc("Uniform integers in [minval, maxval).")
      .shape(shape_of_input)
      .cpu([](KernelMake& m) { return m.output_dtype() == DType::Int32 ? fill_int<int32_t>(m) : fill_int<int64_t>(m); })
      .no_grad()
      .example(
          {.inputs = {Tensor::vector<int32_t>({2, 3}), Tensor(-5), Tensor(5)}, .attrs = {{"seed", 1}, {"seed2", 2}}});
}

}  // namespace vf
