#include "ops/logging/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <type_traits>

#include "tensor/visit.h"

namespace vf {
namespace {

// With few digits where they are the number, with enough for every number otherwise.
template <class T>
std::string number(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  constexpr bool wide = std::is_same_v<T, double>;
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", wide ? 15 : 6, static_cast<double>(value));
  const bool exact = wide ? std::strtod(text, nullptr) == static_cast<double>(value)
                          : std::strtof(text, nullptr) == static_cast<float>(value);
  if (!exact) std::snprintf(text, sizeof text, "%.*g", wide ? 17 : 9, static_cast<double>(value));
  return text;
}

std::string element(DType dtype, const void* data, int64_t i) {
  if (dtype == DType::String) return static_cast<const std::string*>(data)[i];
  if (!is_plain(dtype)) return "?";
  return visit_number(dtype, [&]<class T>() -> std::string {
    const T value = static_cast<const T*>(data)[i];
    if constexpr (std::is_same_v<T, bool>)
      return value ? "1" : "0";
    else if constexpr (std::is_integral_v<T>)
      return std::to_string(value);
    else if constexpr (std::is_same_v<T, double>)
      return number(value);
    else
      return number(static_cast<float>(value));
  });
}

struct Writer {
  DType dtype;
  const Shape& shape;
  const void* data;
  int64_t limit;
  int64_t at = 0;
  std::string text{};

  void dimension(int d) {
    if (at >= limit) return;
    const int64_t size = shape.rank() == 0 ? 1 : shape[d];
    if (d + 1 < shape.rank()) {
      for (int64_t i = 0; i < size && at < limit; ++i) {
        text += '[';
        dimension(d + 1);
        text += ']';
      }
      return;
    }
    for (int64_t i = 0; i < size; ++i) {
      if (at == limit) {
        if (d > 0) text += "...";
        return;
      }
      if (i > 0) text += ' ';
      text += element(dtype, data, at++);
    }
  }
};

}  // namespace

std::string summary(DType dtype, const Shape& shape, const void* data, int64_t most) {
  const int64_t elements = shape.num_elements();
  Writer w{dtype, shape, data, most < 0 ? elements : std::min(most, elements)};
  w.dimension(0);
  // TensorFlow says nothing at all where it may show no boolean.
  if (elements > w.limit && !(dtype == DType::Bool && w.limit == 0)) w.text += "...";
  return w.text;
}

}  // namespace vf
