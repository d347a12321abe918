#pragma once
// Inputs for an op's example: seeded values of the shapes that it names, in a chosen dtype.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "varflow/graph.h"
#include "varflow/op.h"
#include "varflow/session.h"

namespace vf::contract {

struct Sample {
  std::vector<Tensor> inputs;
  std::vector<bool> random;  // whether the example left input i to us
  AttrMap attrs;
};

using Resize = std::function<int64_t(int64_t)>;

// The argument of the signature that input i of the example belongs to.
const ArgSpec& argument(const OpDef& op, const Example& example, size_t i);

// `preferred` is used for type attributes that the example leaves open and that allow it, else the first plain number
// type that they allow. `resize` changes the sizes of random inputs (sizes of 1 stay). nullopt where `preferred` is
// used for nothing.
std::optional<Sample> make_sample(const OpDef& op, const Example& example, DType preferred, uint64_t seed,
                                  const Resize& resize = {});

// Where a sample's inputs come from in a graph.
enum class Source {
  Feeds,          // random inputs are fed, of static shape; the others constants
  UnknownShapes,  // the same, but the placeholders have no shape
  EverythingFed,  // all inputs fed, without shapes
  Computed,       // random numbers are fed and pass through an op, so that their memory may be taken
};

// A graph of one node and what it needs.
struct Built {
  Graph graph;
  Node* node = nullptr;
  std::vector<Output> inputs;  // of the node
  Feeds feeds;
  std::vector<Output> outputs() const;
};
void build(Built& built, const OpDef& op, const Sample& sample, Source source);

// All outputs.
std::vector<Tensor> run(const OpDef& op, const Sample& sample, Source source, int threads = 1);

// The kernel that `make` makes, called directly on one thread; all inputs known when it is made. Empty where it
// declines.
std::vector<Tensor> run_kernel(const OpDef& op, const KernelFunction& make, const Sample& sample);

bool same_bits(const Tensor& a, const Tensor& b);
// Greatest |a - b| / max(1, |b|); NaN equals NaN.
double distance(const Tensor& a, const Tensor& b);
// Spacing of numbers at 1 in the dtype; 0 for integers.
double epsilon(DType dtype);

}  // namespace vf::contract
