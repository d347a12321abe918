#pragma once
// What the tests of src/cpu/dnnl share: data, dirty memory, comparison with sums in double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "varflow/dtype.h"

namespace vf::cpu::dnnl {

inline std::vector<float> random_floats(int64_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = uniform(generator);
  return values;
}

// Results start as NaN, so that what is not written shows.
inline std::vector<float> unwritten(int64_t n) {
  return std::vector<float>(static_cast<size_t>(n), std::numeric_limits<float>::quiet_NaN());
}

// 64-byte aligned memory full of NaN, with a guard behind it that must stay as it is.
class Scratch {
 public:
  explicit Scratch(size_t bytes)
      : bytes_(bytes), data_(static_cast<char*>(::operator new(bytes + 64, std::align_val_t(64)))) {
    std::memset(data_, 0xFF, bytes + 64);
  }
  ~Scratch() {
    for (size_t i = 0; i < 64; ++i) EXPECT_EQ(static_cast<unsigned char>(data_[bytes_ + i]), 0xFF) << "scratch overrun";
    ::operator delete(data_, std::align_val_t(64));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* data() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }

 private:
  size_t bytes_;
  char* data_;
};

// A sum in double, and the sum of magnitudes that bounds its rounding error in float.
struct Sum {
  double value = 0, magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

inline void expect_near(const std::vector<float>& got, const std::vector<Sum>& want, double tolerance = 2e-6) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i].value, tolerance * (want[i].magnitude + 1e-3)) << "element " << i;
}

// Rounds `values` in place and gives them as bfloat16.
inline std::vector<BFloat16> round_to_bfloat16(std::vector<float>& values) {
  std::vector<BFloat16> small;
  for (float& v : values) {
    small.emplace_back(v);
    v = static_cast<float>(small.back());
  }
  return small;
}
inline std::vector<float> widened(const std::vector<BFloat16>& values) {
  std::vector<float> wide;
  for (BFloat16 v : values) wide.push_back(static_cast<float>(v));
  return wide;
}
// Half a unit in the last of eight places.
constexpr double kBfloat16Tolerance = 1.0 / 256 + 2e-6;

}  // namespace vf::cpu::dnnl
