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

namespace {

class PackedLayout : public MemoryLayout {
 public:
  PackedLayout(std::unique_ptr<Reorder> reorder, size_t bytes, std::string key)
      : reorder_(std::move(reorder)), bytes_(bytes), key_(std::move(key)) {}
  size_t bytes() const override { return bytes_; }
  const std::string& key() const override { return key_; }
  void from_logical(const void* logical, void* packed) const override { reorder_->run(logical, packed, nullptr); }

 private:
  const std::unique_ptr<Reorder> reorder_;
  const size_t bytes_;
  const std::string key_;
};

}  // namespace

std::shared_ptr<const MemoryLayout> memory_layout(const Layout& logical, const Layout& packed, DType dtype,
                                                  int threads) {
  const std::string text = packed.str();
  if (text.find(" strides") == std::string::npos) return nullptr;  // the text does not say all of it
  auto reorder = Reorder::make(logical, packed, threads);
  if (!reorder || reorder->scratch_bytes() > 0) return nullptr;
  return std::make_shared<PackedLayout>(std::move(reorder), packed.bytes(), dtype_name(dtype) + (" " + text));
}

}  // namespace vf::cpu::dnnl
