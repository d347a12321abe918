// The smallest program that uses Varflow: it links the library, and catches what the library throws.
#include <varflow/tensor.h>
#include <cstdio>

int main() {
  const vf::Tensor kernel = vf::Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  std::printf("%s\n", kernel.str().c_str());
  try {
    static_cast<void>(kernel.reshaped({5}));
  } catch (const vf::Error& error) {
    return error.code() == vf::Code::InvalidArgument ? 0 : 1;
  }
  return 1;
}
