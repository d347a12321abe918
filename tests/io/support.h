#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/env.h"
#include "base/temp_folder.h"
#include "varflow/error.h"
#include "varflow/tensor.h"

namespace vf::testing {

inline std::string golden(const std::string& name) { return std::string(VARFLOW_TEST_DATA) + "/" + name; }

// The error that f throws; a failure of the test where it throws none.
template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::Ok, "");
}

// Same dtype, shape and bytes (strings: same strings), so that NaN and -0 count as what they are.
inline bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() == DType::String)
    return std::equal(a.data<std::string>(), a.data<std::string>() + a.num_elements(), b.data<std::string>());
  return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

inline void write(const std::string& path, const std::string& bytes) {
  const auto file = Env::system().create(path);
  file->append(bytes);
  file->close();
}

}  // namespace vf::testing
