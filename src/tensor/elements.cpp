#include "tensor/elements.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace vf {

void copy_elements(DType dtype, const void* from, void* to, int64_t n) {
  if (dtype == DType::String)
    std::copy_n(static_cast<const std::string*>(from), n, static_cast<std::string*>(to));
  else if (dtype == DType::Variant)
    std::copy_n(static_cast<const Variant*>(from), n, static_cast<Variant*>(to));
  else if (dtype == DType::Resource)
    std::copy_n(static_cast<const ResourceHandle*>(from), n, static_cast<ResourceHandle*>(to));
  else if (n > 0)
    std::memcpy(to, from, static_cast<size_t>(n) * dtype_size(dtype));
}

std::vector<int64_t> integers(const Tensor& t) {
  std::vector<int64_t> v(static_cast<size_t>(t.num_elements()));
  for (size_t i = 0; i < v.size(); ++i)  // int64 by itself: a double does not hold all of them
    v[i] = t.dtype() == DType::Int64 ? t.data<int64_t>()[i] : static_cast<int64_t>(t.number(static_cast<int64_t>(i)));
  return v;
}

}  // namespace vf
