#include "contract/sample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace vf::contract {
namespace {

// As while a session runs.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

size_t list_arguments(const OpDef& op) {
  return static_cast<size_t>(std::count_if(op.inputs.begin(), op.inputs.end(), [](const ArgSpec& a) {
    return !a.number_attr.empty() || !a.type_list_attr.empty();
  }));
}

// Number of inputs of each argument; lists share what the others leave.
std::vector<size_t> argument_counts(const OpDef& op, size_t inputs) {
  const size_t lists = list_arguments(op);
  const size_t each = lists ? (inputs - (op.inputs.size() - lists)) / lists : 0;
  std::vector<size_t> counts;
  for (const ArgSpec& a : op.inputs) counts.push_back(a.number_attr.empty() && a.type_list_attr.empty() ? 1 : each);
  return counts;
}

bool allows(const AttrSpec* spec, DType dtype) {
  return !spec || spec->allowed_types.empty() ||
         std::find(spec->allowed_types.begin(), spec->allowed_types.end(), dtype) != spec->allowed_types.end();
}

DType first_number(const AttrSpec* spec) {
  for (DType d : {DType::Float, DType::Int32, DType::Int64, DType::Bool})
    if (allows(spec, d)) return d;
  return DType::Float;
}

// In [low, high], away from kinks; integers from whole numbers of that range that are not 0 where it is positive.
Tensor random_tensor(DType dtype, const Shape& shape, const Example& e, std::mt19937_64& random) {
  constexpr double kKinkDistance = 0.05;
  Tensor wide(DType::Double, shape);
  const bool whole = is_integer(dtype);
  const double low = whole ? std::ceil(e.low) : e.low;
  const double high = whole ? std::max(low + 2, std::floor(e.high)) : e.high;
  for (int64_t i = 0; i < wide.num_elements(); ++i) {
    double v = 0;
    bool near = true;
    while (near) {
      v = low + (high - low) * (static_cast<double>(random() >> 11) * 0x1p-53);
      if (whole) v = std::round(v);
      near = !whole &&
             std::any_of(e.kinks.begin(), e.kinks.end(), [&](double k) { return std::abs(v - k) < kKinkDistance; });
    }
    if (dtype == DType::Bool) v = static_cast<double>(random() & 1);
    if (dtype == DType::UInt8 || dtype == DType::UInt16 || dtype == DType::UInt32 || dtype == DType::UInt64)
      v = std::abs(v);
    wide.data<double>()[i] = v;
  }
  return wide.cast(dtype);
}

}  // namespace

const ArgSpec& argument(const OpDef& op, const Example& example, size_t i) {
  const std::vector<size_t> counts = argument_counts(op, example.inputs.size());
  for (size_t a = 0; a < counts.size(); ++a) {
    if (i < counts[a]) return op.inputs[a];
    i -= counts[a];
  }
  throw Error(Code::Internal, "the example of " + op.name + " has too many inputs");
}

std::optional<Sample> make_sample(const OpDef& op, const Example& e, DType preferred, uint64_t seed,
                                  const Resize& resize) {
  Sample s;
  s.attrs = e.attrs;
  std::mt19937_64 random(seed);
  std::map<std::string, DType> types;  // of type attributes
  for (const auto& [name, value] : e.attrs)
    if (const DType* d = value.get<DType>()) types[name] = *d;
  // Values that are no floats say what their attribute is.
  for (size_t i = 0; i < e.inputs.size(); ++i) {
    const ArgSpec& arg = argument(op, e, i);
    if (e.inputs[i].value.valid() && !is_floating(e.inputs[i].value.dtype()) && !arg.type_attr.empty())
      types.emplace(arg.type_attr, e.inputs[i].value.dtype());
  }
  bool used = false;
  const auto type_of = [&](const ArgSpec& arg, DType fixed) {
    if (arg.dtype != DType::Invalid) return arg.dtype;
    if (arg.type_attr.empty()) return fixed == DType::Invalid ? preferred : fixed;  // a list of types
    const auto [it, fresh] = types.emplace(arg.type_attr, preferred);
    if (fresh && !allows(op.find_attr(arg.type_attr), preferred))
      it->second = first_number(op.find_attr(arg.type_attr));
    used = used || it->second == preferred;
    return it->second;
  };
  for (size_t i = 0; i < e.inputs.size(); ++i) {
    const ExampleInput& in = e.inputs[i];
    const ArgSpec& arg = argument(op, e, i);
    s.random.push_back(!in.value.valid());
    if (in.value.valid()) {
      const DType type = type_of(arg, in.value.dtype());
      s.inputs.push_back(is_floating(in.value.dtype()) ? in.value.cast(type) : in.value);
      continue;
    }
    Shape shape = in.shape;
    for (int d = 0; resize && d < shape.rank(); ++d)
      if (shape[d] != 1) shape.set_dim(d, resize(shape[d]));
    s.inputs.push_back(random_tensor(type_of(arg, DType::Invalid), shape, e, random));
  }
  if (!used && preferred != DType::Float) return std::nullopt;
  return s;
}

std::vector<Output> Built::outputs() const {
  std::vector<Output> all;
  for (int i = 0; i < node->num_outputs(); ++i) all.emplace_back(node, i);
  return all;
}

void build(Built& b, const OpDef& op, const Sample& sample, Source source) {
  std::vector<Operand> operands;
  for (size_t i = 0; i < sample.inputs.size(); ++i) {
    const Tensor& value = sample.inputs[i];
    if (!sample.random[i] && source != Source::EverythingFed) {
      operands.emplace_back(make(b.graph, "Const", {}, {{"dtype", value.dtype()}, {"value", value}}));
    } else {
      const bool shapes = source == Source::Feeds || source == Source::Computed;
      Output in = make(b.graph, "Placeholder", {},
                       {{"dtype", value.dtype()}, {"shape", shapes ? value.shape() : Shape::unknown()}});
      b.feeds.emplace_back(in, value);
      const bool number = is_floating(value.dtype()) || is_integer(value.dtype());
      if (source == Source::Computed && number) in = make("Mul", {in, 1});
      operands.emplace_back(in);
    }
    b.inputs.push_back(operands.back().output());
  }
  NodeBuilder node(b.graph, op.name);
  const std::vector<size_t> counts = argument_counts(op, operands.size());
  size_t next = 0;
  for (size_t a = 0; a < counts.size(); ++a) {
    const bool list = !op.inputs[a].number_attr.empty() || !op.inputs[a].type_list_attr.empty();
    const auto from = operands.begin() + static_cast<std::ptrdiff_t>(next);
    if (list)
      node.inputs(std::vector<Operand>(from, from + static_cast<std::ptrdiff_t>(counts[a])));
    else
      node.input(*from);
    next += counts[a];
  }
  for (const auto& [name, value] : sample.attrs) node.attr(name, value);
  b.node = node.build();
}

std::vector<Tensor> run(const OpDef& op, const Sample& sample, Source source, int threads) {
  Built b;
  build(b, op, sample, source);
  Session session(b.graph, {.threads = threads});
  Fetches fetches;
  for (const Output& o : b.outputs()) fetches.emplace_back(o);
  return session.run(fetches, b.feeds);
}

std::vector<Tensor> run_kernel(const OpDef& op, const KernelFunction& make, const Sample& sample) {
  Built b;
  build(b, op, sample, Source::Feeds);
  std::vector<Shape> shapes;
  std::vector<const Tensor*> constants;
  for (const Tensor& t : sample.inputs) {
    shapes.push_back(t.shape());
    constants.push_back(&t);
  }
  const auto outputs = static_cast<size_t>(b.node->num_outputs());
  std::vector<Shape> output_shapes(outputs);
  ShapeContext context(*b.node, shapes, constants, output_shapes);
  op.shape(context);
  KernelMake m(*b.node, shapes, constants, output_shapes, {.deterministic = true}, nullptr);
  const std::unique_ptr<Kernel> kernel = make(m);
  if (!kernel) return {};
  std::vector<Tensor> results;
  std::vector<void*> slots;
  std::vector<uint32_t> args;
  for (const Tensor& t : sample.inputs) slots.push_back(const_cast<void*>(t.raw()));
  for (size_t o = 0; o < outputs; ++o) {
    if (context.dynamic(static_cast<int>(o)))
      results.emplace_back();  // the kernel makes it
    else
      results.emplace_back(b.node->output_dtype(static_cast<int>(o)), output_shapes[o]);
    slots.push_back(results.back().raw());
  }
  for (size_t i = 0; i < slots.size(); ++i) args.push_back(static_cast<uint32_t>(i));
  const BufferRef scratch(Buffer::allocate(m.scratch_bytes() + 64));
  const Cancellation never;
  const FlushDenormals flush;
  KernelRun r(slots.data(), args.data(), static_cast<uint32_t>(sample.inputs.size()), scratch->data(), &never,
              results.data());
  kernel->run(r);
  return results;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  return a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

double distance(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) return INFINITY;
  double most = 0;
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double x = a.number(i);
    const double y = b.number(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double d = std::abs(x - y) / std::max(1.0, std::abs(y));
    most = std::isnan(d) ? INFINITY : std::max(most, d);
  }
  return most;
}

double epsilon(DType dtype) {
  switch (dtype) {
    case DType::Double: return 0x1p-52;
    case DType::Float: return 0x1p-23;
    case DType::Half: return 0x1p-10;
    case DType::BFloat16: return 0x1p-7;
    default: return 0;
  }
}

}  // namespace vf::contract
