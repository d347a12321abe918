// The one file that includes oneDNN: written for 2.6 (operation descriptors, public fields of memory descriptors,
// one flag for scale and shift). The places where 3.x differs are marked "2.x".
#include <omp.h>

#include <atomic>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "cpu/dnnl/layout.h"
#include "cpu/dnnl/pooling.h"
#include "cpu/dnnl/primitive.h"
#include "varflow/error.h"

namespace vf::cpu::dnnl {

namespace one = ::dnnl;
using Desc = one::memory::desc;

struct LayoutImpl {
  Desc desc;
};

namespace {

one::engine& engine() {
  static one::engine cpu(one::engine::kind::cpu, 0);
  return cpu;
}

// oneDNN asks OpenMP how many threads there are, both when it makes a primitive and when it runs one.
class ThreadsGuard {
 public:
  explicit ThreadsGuard(int threads) : before_(omp_get_max_threads()), changed_(before_ != threads) {
    if (changed_) omp_set_num_threads(threads);
  }
  ~ThreadsGuard() {
    if (changed_) omp_set_num_threads(before_);
  }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  int before_;
  bool changed_;
};

[[noreturn]] void fail(dnnl_status_t status, const std::string& what) {
  if (status == dnnl_out_of_memory) throw Error(Code::ResourceExhausted, "oneDNN is out of memory for " + what);
  throw Error(Code::Internal, "oneDNN failed with status " + std::to_string(status) + " in " + what);
}

// 2.x: questions that the C++ interface cannot answer yet.
bool padded_desc(const Desc& desc) {
  for (int i = 0; i < desc.data.ndims; ++i)
    if (desc.data.dims[i] != desc.data.padded_dims[i]) return true;
  return false;
}
std::string desc_str(const Desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  std::string text;
  for (int i = 0; i < d.ndims; ++i) text += (i ? "x" : "") + std::to_string(d.dims[i]);
  if (d.format_kind == dnnl_format_kind_any) return text + " any";
  if (d.format_kind != dnnl_blocked) return text + " opaque";
  text += " strides";
  for (int i = 0; i < d.ndims; ++i) text += (i ? "," : " ") + std::to_string(d.format_desc.blocking.strides[i]);
  for (int i = 0; i < d.format_desc.blocking.inner_nblks; ++i)
    text += (i ? "" : " blocks ") + std::to_string(d.format_desc.blocking.inner_blks[i]) +
            static_cast<char>('a' + d.format_desc.blocking.inner_idxs[i]);
  return text;
}

// One dim of a layout as loops from the outermost to the innermost, in the shortest form.
struct Loop {
  int64_t count, stride;
  bool operator==(const Loop&) const = default;
};
std::vector<Loop> loops_of(const Desc& desc, int dim) {
  const auto& blocking = desc.data.format_desc.blocking;
  std::vector<Loop> inside_out;
  const auto add = [&inside_out](int64_t count, int64_t stride) {
    if (count == 1) return;
    if (!inside_out.empty() && stride == inside_out.back().count * inside_out.back().stride)
      inside_out.back().count *= count;
    else
      inside_out.push_back({count, stride});
  };
  int64_t stride = 1, block = 1;
  for (int i = blocking.inner_nblks - 1; i >= 0; --i) {
    if (blocking.inner_idxs[i] == dim) {
      add(blocking.inner_blks[i], stride);
      block *= blocking.inner_blks[i];
    }
    stride *= blocking.inner_blks[i];
  }
  add(desc.data.padded_dims[dim] / block, blocking.strides[dim]);
  return inside_out;
}
// True if every element lies at the same place; HWIO with one block of channels has several descriptors.
bool same_places(const Desc& a, const Desc& b) {
  const dnnl_memory_desc_t &x = a.data, &y = b.data;
  if (a == b) return true;
  if (x.format_kind != dnnl_blocked || y.format_kind != dnnl_blocked || x.data_type != y.data_type ||
      x.ndims != y.ndims || x.offset0 != y.offset0 || x.extra.flags != y.extra.flags)
    return false;
  for (int i = 0; i < x.ndims; ++i)
    if (x.dims[i] != y.dims[i] || x.padded_dims[i] != y.padded_dims[i] || loops_of(a, i) != loops_of(b, i))
      return false;
  return true;
}

Layout layout_of(const Desc& desc) {
  if (desc.get_size() == 0) return {};
  return Layout(std::make_shared<const LayoutImpl>(LayoutImpl{desc}));
}
Desc desc_of(const Layout& layout) { return layout ? layout.impl()->desc : Desc(); }

one::memory::data_type data_type(DType dtype) {
  if (dtype == DType::Float) return one::memory::data_type::f32;
  if (dtype == DType::BFloat16) return one::memory::data_type::bf16;
  return one::memory::data_type::undef;
}

int argument_number(Slot slot) {
  switch (slot) {
    case Slot::Source: return DNNL_ARG_SRC;
    case Slot::Weights: return DNNL_ARG_WEIGHTS;
    case Slot::Bias: return DNNL_ARG_BIAS;
    case Slot::Destination: return DNNL_ARG_DST;
    case Slot::SourceGradient: return DNNL_ARG_DIFF_SRC;
    case Slot::WeightsGradient: return DNNL_ARG_DIFF_WEIGHTS;
    case Slot::BiasGradient: return DNNL_ARG_DIFF_BIAS;
    case Slot::DestinationGradient: return DNNL_ARG_DIFF_DST;
    case Slot::Workspace: return DNNL_ARG_WORKSPACE;
  }
  return 0;
}

struct Argument {
  Slot slot;
  Desc desc;
};

// The memory objects of one run at a time: which pointers they hold is all that a run writes.
class Binding {
 public:
  Binding(const std::vector<Argument>& arguments, const Desc& scratch) : stream_(engine()) {
    for (const Argument& a : arguments) add(argument_number(a.slot), a.desc);
    if (scratch.get_size() > 0) add(DNNL_ARG_SCRATCHPAD, scratch);
  }

  dnnl_status_t run(const_dnnl_primitive_t primitive, std::span<const void* const> pointers, const void* scratch) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      const void* pointer = i < pointers.size() ? pointers[i] : scratch;
      Entry& entry = entries_[i];
      if (entry.pointer == pointer) continue;
      const dnnl_status_t status =
          dnnl_memory_set_data_handle_v2(entry.memory.get(), const_cast<void*>(pointer), stream_.get());
      if (status != dnnl_success) return status;
      entry.pointer = pointer;
    }
    return dnnl_primitive_execute(primitive, stream_.get(), static_cast<int>(arguments_.size()), arguments_.data());
  }

 private:
  struct Entry {
    one::memory memory;
    const void* pointer;
  };
  void add(int number, const Desc& desc) {
    entries_.push_back({one::memory(desc, engine(), nullptr), nullptr});
    arguments_.push_back({number, entries_.back().memory.get()});
  }

  one::stream stream_;
  std::vector<Entry> entries_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

// Bindings that no run uses now. A slot holds one or nothing, so taking and giving back is one exchange each.
class BindingPool {
 public:
  ~BindingPool() {
    for (auto& slot : slots_) delete slot.load(std::memory_order_acquire);
  }
  Binding* take() {
    for (auto& slot : slots_)
      if (slot.load(std::memory_order_relaxed) != nullptr)
        if (Binding* b = slot.exchange(nullptr, std::memory_order_acq_rel)) return b;
    return nullptr;
  }
  void give(std::unique_ptr<Binding> binding) {
    for (auto& slot : slots_) {
      Binding* none = nullptr;
      if (slot.compare_exchange_strong(none, binding.get(), std::memory_order_acq_rel)) {
        static_cast<void>(binding.release());
        return;
      }
    }
  }

 private:
  std::array<std::atomic<Binding*>, 16> slots_{};
};

}  // namespace

struct Primitive::Impl {
  one::primitive primitive;
  std::vector<Argument> arguments;
  Desc scratch;
  std::string implementation;
  int threads = 1;
  BindingPool pool;
};

namespace {

// Finishes a primitive from its descriptor; nullptr for an implementation that is refused.
template <class PrimitiveDesc, class Operation>
std::unique_ptr<Primitive> finish(const PrimitiveDesc& pd, std::type_identity<Operation>,
                                  std::vector<Argument> arguments, const MakeOptions& options) {
  auto impl = std::make_unique<Primitive::Impl>();
  impl->implementation = pd.impl_info_str();
  if (!options.allow_reference && impl->implementation.find("ref") != std::string::npos) return nullptr;
  impl->primitive = Operation(pd);
  impl->arguments = std::move(arguments);
  impl->scratch = pd.scratchpad_desc();
  impl->threads = options.threads;
  impl->pool.give(std::make_unique<Binding>(impl->arguments, impl->scratch));
  return std::make_unique<Primitive>(std::move(impl));
}

// Runs `make` where oneDNN sees the right number of threads; what it cannot do becomes nullptr.
template <class F>
std::unique_ptr<Primitive> guarded(const MakeOptions& options, F&& make) {
  const ThreadsGuard guard(options.threads);
  try {
    return make();
  } catch (const one::error& e) {
    if (e.status == dnnl_unimplemented || e.status == dnnl_invalid_arguments) return nullptr;
    fail(e.status, e.what());
  }
}

one::primitive_attr attributes(const MakeOptions& options) {
  one::primitive_attr attr;
  attr.set_scratchpad_mode(one::scratchpad_mode::user);
  if (options.relu) {
    one::post_ops ops;
    ops.append_eltwise(1.0F, one::algorithm::eltwise_relu, 0.0F, 0.0F);
    attr.set_post_ops(ops);
  }
  return attr;
}

one::memory::dims dims_of(const std::array<int64_t, 2>& pair) { return {pair[0], pair[1]}; }

}  // namespace

Layout Layout::strided(DType dtype, std::span<const int64_t> dims, std::span<const int64_t> strides) {
  if (data_type(dtype) == one::memory::data_type::undef) return {};
  return layout_of(Desc(one::memory::dims(dims.begin(), dims.end()), data_type(dtype),
                        one::memory::dims(strides.begin(), strides.end())));
}
Layout Layout::any(DType dtype, std::span<const int64_t> dims) {
  if (data_type(dtype) == one::memory::data_type::undef) return {};
  return Layout(std::make_shared<const LayoutImpl>(
      LayoutImpl{Desc(one::memory::dims(dims.begin(), dims.end()), data_type(dtype), one::memory::format_tag::any)}));
}
size_t Layout::bytes() const { return impl_ ? impl_->desc.get_size() : 0; }
bool Layout::padded() const { return impl_ && padded_desc(impl_->desc); }
std::string Layout::str() const { return impl_ ? desc_str(impl_->desc) : "none"; }
bool operator==(const Layout& a, const Layout& b) {
  if (a.impl_ == b.impl_) return true;
  return a.impl_ && b.impl_ && same_places(a.impl_->desc, b.impl_->desc);
}

Primitive::Primitive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Primitive::~Primitive() = default;
size_t Primitive::scratch_bytes() const { return impl_->scratch.get_size(); }
int Primitive::threads() const { return impl_->threads; }
const std::string& Primitive::implementation() const { return impl_->implementation; }
Layout Primitive::layout(Slot slot) const {
  for (const Argument& a : impl_->arguments)
    if (a.slot == slot) return layout_of(a.desc);
  return {};
}

void Primitive::reserve(int runs_at_once) {
  for (int i = 1; i < runs_at_once; ++i) impl_->pool.give(std::make_unique<Binding>(impl_->arguments, impl_->scratch));
}

void Primitive::run(std::span<const void* const> arguments, void* scratch) const {
  if (available_threads(impl_->threads) < impl_->threads)
    throw Error(Code::FailedPrecondition, "a " + impl_->implementation + " primitive made for " +
                                              std::to_string(impl_->threads) +
                                              " threads runs where fewer are available");
  if (arguments.size() != impl_->arguments.size())
    throw Error(Code::Internal, "wrong number of arguments for a " + impl_->implementation + " primitive");
  const ThreadsGuard guard(impl_->threads);
  std::unique_ptr<Binding> binding(impl_->pool.take());
  if (!binding) binding = std::make_unique<Binding>(impl_->arguments, impl_->scratch);
  const dnnl_status_t status = binding->run(impl_->primitive.get(), arguments, scratch);
  impl_->pool.give(std::move(binding));
  if (status != dnnl_success) fail(status, impl_->implementation);
}

std::unique_ptr<Primitive> make_reorder(const Layout& from, const Layout& to, const MakeOptions& options) {
  return guarded(options, [&] {
    const one::reorder::primitive_desc pd(engine(), desc_of(from), engine(), desc_of(to), attributes(options));
    return finish(pd, std::type_identity<one::reorder>(),
                  {{Slot::Source, pd.src_desc()}, {Slot::Destination, pd.dst_desc()}}, options);
  });
}

std::unique_ptr<Primitive> make_convolution(Pass pass, const ProductLayouts& layouts, const Window& window,
                                            const MakeOptions& options) {
  return guarded(options, [&]() -> std::unique_ptr<Primitive> {
    const auto algorithm = one::algorithm::convolution_direct;
    const one::memory::dims strides = dims_of(window.strides), begin = dims_of(window.pad_begin),
                            end = dims_of(window.pad_end), dilates{window.dilations[0] - 1, window.dilations[1] - 1};
    const Desc source = desc_of(layouts.source), weights = desc_of(layouts.weights), bias = desc_of(layouts.bias),
               destination = desc_of(layouts.destination);
    // 2.x: operation descriptors; an empty bias descriptor stands for none.
    const one::convolution_forward::primitive_desc forward(
        one::convolution_forward::desc(one::prop_kind::forward_training, algorithm, source, weights, bias, destination,
                                       strides, dilates, begin, end),
        pass == Pass::Forward ? attributes(options) : one::primitive_attr(), engine());
    switch (pass) {
      case Pass::Forward: {
        std::vector<Argument> arguments{{Slot::Source, forward.src_desc()}, {Slot::Weights, forward.weights_desc()}};
        if (layouts.bias) arguments.push_back({Slot::Bias, forward.bias_desc()});
        arguments.push_back({Slot::Destination, forward.dst_desc()});
        return finish(forward, std::type_identity<one::convolution_forward>(), std::move(arguments), options);
      }
      case Pass::BackwardData: {
        const one::convolution_backward_data::primitive_desc pd(
            one::convolution_backward_data::desc(algorithm, source, weights, destination, strides, dilates, begin, end),
            attributes(options), engine(), forward);
        return finish(pd, std::type_identity<one::convolution_backward_data>(),
                      {{Slot::DestinationGradient, pd.diff_dst_desc()},
                       {Slot::Weights, pd.weights_desc()},
                       {Slot::SourceGradient, pd.diff_src_desc()}},
                      options);
      }
      case Pass::BackwardWeights: {
        const one::convolution_backward_weights::primitive_desc pd(
            one::convolution_backward_weights::desc(algorithm, source, weights, bias, destination, strides, dilates,
                                                    begin, end),
            attributes(options), engine(), forward);
        std::vector<Argument> arguments{{Slot::Source, pd.src_desc()},
                                        {Slot::DestinationGradient, pd.diff_dst_desc()},
                                        {Slot::WeightsGradient, pd.diff_weights_desc()}};
        if (layouts.bias) arguments.push_back({Slot::BiasGradient, pd.diff_bias_desc()});
        return finish(pd, std::type_identity<one::convolution_backward_weights>(), std::move(arguments), options);
      }
    }
    return nullptr;
  });
}

std::unique_ptr<Primitive> make_matmul(const ProductLayouts& layouts, const MakeOptions& options) {
  return guarded(options, [&] {
    const one::matmul::primitive_desc pd(one::matmul::desc(desc_of(layouts.source), desc_of(layouts.weights),
                                                           desc_of(layouts.bias), desc_of(layouts.destination)),
                                         attributes(options), engine());
    std::vector<Argument> arguments{{Slot::Source, pd.src_desc()}, {Slot::Weights, pd.weights_desc()}};
    if (layouts.bias) arguments.push_back({Slot::Bias, pd.bias_desc()});
    arguments.push_back({Slot::Destination, pd.dst_desc()});
    return finish(pd, std::type_identity<one::matmul>(), std::move(arguments), options);
  });
}

std::unique_ptr<Primitive> make_pooling(Pass pass, PoolingKind kind, const Layout& source, const Layout& destination,
                                        const Window& window, bool workspace, const MakeOptions& options) {
  return guarded(options, [&]() -> std::unique_ptr<Primitive> {
    const auto algorithm =
        kind == PoolingKind::Max ? one::algorithm::pooling_max : one::algorithm::pooling_avg_exclude_padding;
    const bool training = workspace || pass != Pass::Forward;
    const one::memory::dims strides = dims_of(window.strides), size = dims_of(window.size),
                            begin = dims_of(window.pad_begin), end = dims_of(window.pad_end);
    const one::pooling_forward::primitive_desc forward(
        one::pooling_forward::desc(training ? one::prop_kind::forward_training : one::prop_kind::forward_inference,
                                   algorithm, desc_of(source), desc_of(destination), strides, size, begin, end),
        attributes(options), engine());
    if (pass == Pass::Forward) {
      std::vector<Argument> arguments{{Slot::Source, forward.src_desc()}, {Slot::Destination, forward.dst_desc()}};
      if (workspace) arguments.push_back({Slot::Workspace, forward.workspace_desc()});
      return finish(forward, std::type_identity<one::pooling_forward>(), std::move(arguments), options);
    }
    const one::pooling_backward::primitive_desc pd(
        one::pooling_backward::desc(algorithm, desc_of(source), desc_of(destination), strides, size, begin, end),
        attributes(options), engine(), forward);
    std::vector<Argument> arguments{{Slot::DestinationGradient, pd.diff_dst_desc()}};
    if (kind == PoolingKind::Max) arguments.push_back({Slot::Workspace, pd.workspace_desc()});
    arguments.push_back({Slot::SourceGradient, pd.diff_src_desc()});
    return finish(pd, std::type_identity<one::pooling_backward>(), std::move(arguments), options);
  });
}

}  // namespace vf::cpu::dnnl
