#include "cpu/dnnl/layout.h"

#include "cpu/dnnl/primitive.h"

namespace vf::cpu::dnnl {

std::unique_ptr<Reorder> Reorder::make(const Layout& from, const Layout& to, int threads) {
  auto primitive = make_reorder(from, to, {.threads = threads, .allow_reference = from.bytes() <= 1 << 14});
  return primitive ? std::unique_ptr<Reorder>(new Reorder(std::move(primitive))) : nullptr;
}

Reorder::Reorder(std::unique_ptr<Primitive> primitive) : primitive_(std::move(primitive)) {}
Reorder::~Reorder() = default;

size_t Reorder::scratch_bytes() const { return primitive_->scratch_bytes(); }
void Reorder::reserve(int runs_at_once) { primitive_->reserve(runs_at_once); }
void Reorder::run(const void* from, void* to, void* scratch) const { (*primitive_)(scratch, from, to); }

}  // namespace vf::cpu::dnnl
