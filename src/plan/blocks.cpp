#include "plan/blocks.h"

#include <algorithm>

#include "graph/reference.h"
#include "varflow/function.h"

namespace vf::plan {
namespace {

constexpr size_t kDeepest = 100;

[[noreturn]] void fail(const Node& node, Code code, const std::string& text) {
  throw Error(code, node.type(), node.name(), text);
}

const Function& function_of(const Node& node, const std::string& attr) {
  const std::string& name = node.attr<FunctionName>(attr).name;
  const Function* f = node.graph().find_function(name);
  if (!f) fail(node, Code::NotFound, "Function " + name + " is not defined.");
  return *f;
}

void check_arguments(const Node& node, const Function& f, int first) {
  const size_t given = node.inputs().size() - static_cast<size_t>(first);
  if (f.arguments().size() != given)
    fail(node, Code::InvalidArgument,
         "function " + f.name() + " expects " + std::to_string(f.arguments().size()) + " arguments, but " +
             std::to_string(given) + " is provided");
  for (size_t i = 0; i < given; ++i) {
    const DType want = f.arguments()[i].dtype();
    const DType got = node.input(first + static_cast<int>(i)).dtype();
    if (want != got)
      fail(node, Code::InvalidArgument,
           "function " + f.name() + " expects arg[" + std::to_string(i) + "] to be " + dtype_name(want) + " but " +
               dtype_name(got) + " is provided");
  }
}

void check_results(const Node& node, const Function& f) {
  const auto want = static_cast<size_t>(node.num_outputs());
  if (f.results().size() != want)
    fail(node, Code::InvalidArgument,
         "function " + f.name() + ": expect to produce " + std::to_string(want) + " tensors, but only get " +
             std::to_string(f.results().size()));
  for (size_t i = 0; i < want; ++i) {
    const DType got = f.results()[i].dtype();
    if (got != node.output_dtype(static_cast<int>(i)))
      fail(node, Code::InvalidArgument,
           "function " + f.name() + ": expected type " + dtype_name(node.output_dtype(static_cast<int>(i))) +
               " for return value " + std::to_string(i) + " but got " + dtype_name(got));
  }
}

// TensorFlow's kernels of If and While take these for a condition.
void check_condition(const Node& node, DType dtype) {
  constexpr DType kTaken[] = {DType::Bool,  DType::Float, DType::Double, DType::Int64, DType::Int32,
                              DType::Int16, DType::Int8,  DType::UInt8,  DType::String};
  if (std::find(std::begin(kTaken), std::end(kTaken), dtype) == std::end(kTaken))
    fail(node, Code::InvalidArgument, std::string(dtype_name(dtype)) + " cannot be converted to a boolean");
}

// What an Identity chain of a plain value shows.
Output shown(Output o) {
  while (o.node->op().alias && o.node->op().passes_reference && !o.node->input(0).is_ref()) o = o.node->input(0);
  return o;
}

class BlockBuilder {
 public:
  BlockBuilder(const Node& node, const std::function<const Node*(const Output&)>& bound,
               const std::function<int(const Node*)>& number, BodyCache& cache)
      : node_(node),
        number_(number),
        cache_(cache),
        block_(std::make_shared<Block>()),
        first_(node.op().block == BlockKind::Branch ? 1 : 0) {
    for (int i = first_; i < static_cast<int>(node.inputs().size()); ++i) {
      if (node.input(i).dtype() == DType::Resource)
        handles_.push_back(bound(node.input(i)));
      else
        block_->values.push_back(i);
    }
  }

  std::shared_ptr<const Block> build(std::vector<VariableAccess>& accesses) {
    for (const std::string& attr : node_.op().bodies) functions_.push_back(&function_of(node_, attr));
    for (const Function* f : functions_) check_arguments(node_, *f, first_);
    block_->loop = node_.op().block == BlockKind::Loop;
    if (block_->loop)
      loop();
    else
      branch();
    access(accesses);
    return block_;
  }

 private:
  void branch() {
    check_condition(node_, node_.input(0).dtype());
    for (const Function* f : functions_) check_results(node_, *f);
    for (int o = 0; o < node_.num_outputs(); ++o) {
      if (node_.output_dtype(o) != DType::Resource) {
        block_->outputs.push_back(o);
      } else if (argument(*functions_[0], o) < 0 || argument(*functions_[0], o) != argument(*functions_[1], o)) {
        fail(node_, Code::Unimplemented, "result " + std::to_string(o) + " is a resource that depends on the branch");
      }
    }
    for (const Function* f : functions_) add_body(*f, block_->outputs);
  }

  void loop() {
    const Function& cond = *functions_[0];
    const Function& body = *functions_[1];
    if (cond.results().size() != 1)
      fail(node_, Code::InvalidArgument,
           "Expected a single scalar return value from WhileOp cond, got " + std::to_string(cond.results().size()) +
               " tensors.");
    check_condition(node_, cond.results()[0].dtype());
    check_results(node_, body);
    for (int o = 0; o < node_.num_outputs(); ++o) {
      if (node_.output_dtype(o) == DType::Resource) {
        if (argument(body, o) != o)
          fail(node_, Code::Unimplemented, "the body gives another resource as result " + std::to_string(o));
      } else if (shown(body.results()[static_cast<size_t>(o)]) != body.arguments()[static_cast<size_t>(o)]) {
        block_->outputs.push_back(o);
      }
    }
    add_body(cond, {0});
    add_body(body, block_->outputs);
  }

  // The argument whose handle result `i` is; -1 where it is none.
  static int argument(const Function& f, int i) {
    const Node* from = variable_of(f.results()[static_cast<size_t>(i)]);
    for (size_t a = 0; a < f.arguments().size(); ++a)
      if (f.arguments()[a].node == from) return static_cast<int>(a);
    return -1;
  }

  void add_body(const Function& f, const std::vector<int>& results) {
    const BodyCache::Key key{f.name(), handles_, results};
    auto& program = cache_.programs[key];
    if (!program) {
      if (!cache_.open.insert(f.name()).second)
        fail(node_, Code::Unimplemented, "the function " + f.name() + " calls itself");
      if (cache_.open.size() > kDeepest) fail(node_, Code::Unimplemented, "functions call each other too deeply");
      program = std::make_shared<Program>(make_body(f, results));
      cache_.open.erase(f.name());
    }
    Body body{program, {}};
    for (const Node* v : program->variables) body.variables.push_back(number_(v));
    block_->bodies.push_back(std::move(body));
  }

  Program make_body(const Function& f, const std::vector<int>& results) {
    Signature s;
    size_t handle = 0;
    for (const Output& a : f.arguments()) {
      if (a.dtype() == DType::Resource)
        s.handles[a.node] = handles_[handle++];
      else
        s.feeds.push_back(a);
    }
    for (int r : results) s.fetches.push_back(f.results()[static_cast<size_t>(r)]);
    // As in TensorFlow, all that has an effect runs, whether a result needs it or not.
    for (Node* n : f.body().nodes())
      if (n->op().stateful) s.targets.push_back(n);
    return make_program(s, &cache_);
  }

  // One access to each variable that a body touches: a write if one of them writes.
  void access(std::vector<VariableAccess>& accesses) {
    std::map<int, Access> strongest;
    const auto add = [&](int variable, Access a) {
      Access& s = strongest.try_emplace(variable, a).first->second;
      s = std::max(s, a);
    };
    for (const Body& body : block_->bodies) {
      for (const Item& item : body.program->items) {
        if (item.read >= 0) add(body.variables[static_cast<size_t>(item.read)], Access::Read);
        for (const VariableAccess& a : item.accesses) add(body.variables[static_cast<size_t>(a.variable)], a.access);
        const OpDef& op = item.node->op();
        const bool computes = op.fast || op.reference;
        if (item.block ? item.block->stateful : op.stateful && computes && item.read < 0) block_->stateful = true;
      }
    }
    for (const auto& [variable, a] : strongest)
      accesses.push_back({-1, variable, a == Access::Overwrite ? Access::Update : a});
  }

  const Node& node_;
  const std::function<int(const Node*)>& number_;
  BodyCache& cache_;
  std::shared_ptr<Block> block_;
  const int first_;
  std::vector<const Function*> functions_;
  std::vector<const Node*> handles_;
};

}  // namespace

std::shared_ptr<const Block> make_block(const Node& node, const std::function<const Node*(const Output&)>& bound,
                                        const std::function<int(const Node*)>& number, BodyCache& cache,
                                        std::vector<VariableAccess>& accesses) {
  return BlockBuilder(node, bound, number, cache).build(accesses);
}

}  // namespace vf::plan
