#include "cpu/dnnl/matmul.h"

#include <algorithm>

#include "cpu/dnnl/primitive.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {
namespace {

// Multiply-adds up to which oneDNN's reference code is good enough.
constexpr int64_t kTinyWork = 1 << 14;

int64_t product(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

// [batch,] rows, columns; C order, or with rows and columns exchanged.
Layout matrix(DType dtype, int64_t batch, int64_t rows, int64_t columns, bool transposed) {
  const int64_t row = transposed ? 1 : columns, column = transposed ? rows : 1;
  if (batch < 0) return Layout::strided(dtype, std::array{rows, columns}, std::array{row, column});
  return Layout::strided(dtype, std::array{batch, rows, columns}, std::array{rows * columns, row, column});
}

// batch < 0: matrices without a batch dim.
std::unique_ptr<Primitive> make_batched(int64_t batch, int64_t m, const MatmulShape& s, const MatmulOptions& o) {
  const Layout source = s.pitch_a > 0 ? Layout::strided(o.dtype, std::array{m, s.k},
                                                        s.transpose_a ? std::array{int64_t{1}, s.pitch_a}
                                                                      : std::array{s.pitch_a, int64_t{1}})
                                      : matrix(o.dtype, batch, m, s.k, s.transpose_a);
  const ProductLayouts layouts{.source = source,
                               .weights = matrix(o.dtype, batch, s.k, s.n, s.transpose_b),
                               .bias = o.bias ? matrix(o.dtype, batch < 0 ? batch : 1, 1, s.n, false) : Layout(),
                               .destination = matrix(o.dtype, batch, m, s.n, false)};
  if (!layouts.source) return nullptr;
  const int64_t work = std::max<int64_t>(batch, 1) * m * s.k * s.n;
  return make_matmul(layouts, {.threads = o.threads, .relu = o.relu, .allow_reference = work <= kTinyWork});
}

std::vector<int64_t> broadcast(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> all(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < all.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      throw Error(Code::InvalidArgument, "batch dimensions of a matrix product do not broadcast: " + std::to_string(x) +
                                             " and " + std::to_string(y));
    all[all.size() - 1 - i] = x == 1 ? y : x;
  }
  return all;
}

// Which matrix of an operand belongs to matrix number `index` of the result.
int64_t matrix_index(int64_t index, const std::vector<int64_t>& all, const std::vector<int64_t>& own) {
  int64_t result = 0, stride = 1;
  for (size_t i = 0; i < own.size(); ++i) {
    const int64_t size = own[own.size() - 1 - i], position = index % all[all.size() - 1 - i];
    if (size != 1) result += position * stride;
    stride *= size;
    index /= all[all.size() - 1 - i];
  }
  return result;
}

}  // namespace

Matmul::Matmul() = default;
Matmul::~Matmul() = default;

std::unique_ptr<Matmul> Matmul::make(const MatmulShape& s, const MatmulOptions& o) {
  const std::vector<int64_t> all = broadcast(s.batch_a, s.batch_b);
  const int64_t batch = product(all), batch_a = product(s.batch_a), batch_b = product(s.batch_b);
  std::unique_ptr<Matmul> self(new Matmul);
  self->bias_ = o.bias;
  if (batch * s.m * s.n == 0) return self;
  if (s.k == 0) return nullptr;
  self->parts_ = {{0, 0, 0}};
  // One b for all: more rows of one product.
  if (batch_b == 1 && (batch_a == 1 || !s.transpose_a)) {
    self->primitive_ = make_batched(-1, batch * s.m, s, o);
    return self->primitive_ ? std::move(self) : nullptr;
  }
  if (batch_a == batch && batch_b == batch) {
    self->primitive_ = make_batched(batch, s.m, s, o);
    if (self->primitive_) return self;
  }
  self->primitive_ = make_batched(-1, s.m, s, o);
  if (!self->primitive_) return nullptr;
  self->parts_.clear();
  const size_t size = dtype_size(o.dtype);
  for (int64_t i = 0; i < batch; ++i)
    self->parts_.push_back({static_cast<size_t>(matrix_index(i, all, s.batch_a) * s.m * s.k) * size,
                            static_cast<size_t>(matrix_index(i, all, s.batch_b) * s.k * s.n) * size,
                            static_cast<size_t>(i * s.m * s.n) * size});
  return self;
}

void Matmul::reserve(int runs_at_once) {
  if (primitive_) primitive_->reserve(runs_at_once);
}

size_t Matmul::scratch_bytes() const { return primitive_ ? primitive_->scratch_bytes() : 0; }
std::string Matmul::implementation() const { return primitive_ ? primitive_->implementation() : "nothing"; }

void Matmul::run(const void* a, const void* b, const void* bias, void* destination, void* scratch) const {
  if (!primitive_) return;
  for (const auto& [part_a, part_b, part_destination] : parts_) {
    const void* from_a = static_cast<const char*>(a) + part_a;
    const void* from_b = static_cast<const char*>(b) + part_b;
    void* to = static_cast<char*>(destination) + part_destination;
    if (bias_)
      (*primitive_)(scratch, from_a, from_b, bias, to);
    else
      (*primitive_)(scratch, from_a, from_b, to);
  }
}

}  // namespace vf::cpu::dnnl
