#include "varflow/gradients.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "varflow/op.h"

namespace vf {
namespace {

using Key = std::pair<const Node*, int>;
Key key(const Output& o) { return {o.node, o.index}; }

// Restores the builder's state when a gradient function has built its nodes.
class GradientOf {
 public:
  GradientOf(Graph& graph, const Node* forward) : context_(graph.context()), saved_(context_.gradient_of) {
    context_.gradient_of = forward;
  }
  ~GradientOf() { context_.gradient_of = saved_; }

 private:
  GraphContext& context_;
  const Node* saved_;
};

class Walk {
 public:
  Walk(const std::vector<Output>& ys, const std::vector<Output>& xs) : ys_(ys), graph_(ys.front().graph()) {
    for (const Output& x : xs) xs_.insert(key(x));
  }

  void seed(const std::vector<Output>& grad_ys) {
    for (size_t i = 0; i < ys_.size(); ++i) {
      const Output& y = ys_[i];
      Output g;
      if (i < grad_ys.size() && grad_ys[i]) {
        if (grad_ys[i].dtype() != y.dtype() || !grad_ys[i].shape().compatible(y.shape()))
          throw Error(Code::InvalidArgument, "grad_ys[" + std::to_string(i) + "] is " +
                                                 dtype_python_name(grad_ys[i].dtype()) + " " +
                                                 grad_ys[i].shape().str() + ", but " + y.name() + " is " +
                                                 dtype_python_name(y.dtype()) + " " + y.shape().str());
        g = make("Identity", {grad_ys[i]}, {}, "grad_ys_" + std::to_string(i));
      } else {
        if (!is_floating(y.dtype()))
          throw Error(Code::InvalidArgument,
                      "gradients need a floating-point y; " + y.name() + " is " + dtype_python_name(y.dtype()));
        const Output shape = make("Shape", {y});
        g = make(graph_, "Fill", {shape, Tensor(1.0F).cast(y.dtype())}, {}, "grad_ys_" + std::to_string(i));
      }
      contributions_[key(y)].push_back(g);
    }
  }

  // Visits the nodes between ys and xs, last first, so that all contributions are there when a node's turn comes.
  void run() {
    for (const Node* n : between()) {
      std::vector<Output> flowing(static_cast<size_t>(n->num_outputs()));
      bool any = false;
      for (int i = 0; i < n->num_outputs(); ++i) {
        flowing[static_cast<size_t>(i)] = total({n, i});
        any = any || flowing[static_cast<size_t>(i)];
      }
      if (any) differentiate(const_cast<Node&>(*n), std::move(flowing));
    }
  }

  // The sum of what has flowed to an output; null where nothing has.
  Output total(const Key& k) {
    const auto it = contributions_.find(k);
    if (it == contributions_.end()) return {};
    std::vector<Output>& list = it->second;
    if (list.size() > 1) {
      std::vector<Operand> terms(list.begin(), list.end());
      list = {make("AddN", terms)};
    }
    return list[0];
  }

 private:
  // Nodes that the ys need and that depend on an x, in descending order.
  std::vector<const Node*> between() const {
    std::unordered_set<const Node*> reached;
    std::vector<const Node*> stack;
    std::vector<std::pair<int, const Node*>> nodes;
    const auto visit = [&](const Node* n) {
      if (reached.insert(n).second) stack.push_back(n);
    };
    for (const Output& y : ys_) visit(y.node);
    while (!stack.empty()) {
      const Node* n = stack.back();
      stack.pop_back();
      nodes.emplace_back(graph_.order(n), n);
      for (const Output& in : n->inputs()) visit(in.node);
    }
    std::sort(nodes.begin(), nodes.end());
    std::unordered_set<const Node*> depends;
    std::vector<const Node*> result;
    for (const auto& [order, n] : nodes) {
      const bool on_path = std::any_of(n->inputs().begin(), n->inputs().end(), [&](const Output& in) {
        return xs_.count(key(in)) != 0 || depends.count(in.node) != 0;
      });
      if (!on_path) continue;
      depends.insert(n);
      result.push_back(n);
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

  // The rule by which a node is differentiated; nullptr where its op is declared to have none.
  const GradientFunction* rule_of(const Node& n) const {
    std::string hint;
    if (const AttrValue* named = n.attrs().find("_gradient_op_type")) {
      const std::string* name = named->get<std::string>();
      if (const GradientFunction* f = name ? graph_.registry().find_gradient(*name) : nullptr) return f;
      hint = ": no gradient is registered under the name " + named->str();
    } else if (const GradientFunction* own = graph_.gradient(&n)) {
      return own;
    } else if (n.op().no_gradient) {
      return nullptr;
    } else if (n.op().gradient) {
      return &n.op().gradient;
    }
    const std::string space = graph_.level() == Level::TF1_15 ? " " : "";  // 2.21 has none
    throw Error(Code::NotFound,
                "No gradient defined for operation" + space + "'" + n.name() + "' (op type: " + n.type() + ")" + hint);
  }

  void differentiate(Node& n, std::vector<Output> flowing) {
    const GradientFunction* rule = rule_of(n);
    if (!rule) return;
    const GradientOf mark(graph_, &n);
    const NameScope scope(graph_, n.name() + "_grad");
    GradientContext context(n, std::move(flowing));
    (*rule)(context);
    for (size_t i = 0; i < context.results().size(); ++i) {
      const Output& g = context.results()[i];
      if (!g) continue;
      const Output& in = n.input(static_cast<int>(i));
      if (in.dtype() != DType::Resource && g.dtype() != in.dtype())
        throw Error(Code::Internal, n.type(), n.name(),
                    "the gradient of input " + std::to_string(i) + " is " + dtype_python_name(g.dtype()) +
                        ", the input " + dtype_python_name(in.dtype()));
      contributions_[key(in)].push_back(g);
    }
  }

  const std::vector<Output>& ys_;
  Graph& graph_;
  std::set<Key> xs_;
  std::map<Key, std::vector<Output>> contributions_;
};

}  // namespace

std::vector<Output> gradients(const std::vector<Output>& ys, const std::vector<Output>& xs,
                              const std::vector<Output>& grad_ys, const std::string& name) {
  if (ys.empty()) return std::vector<Output>(xs.size());
  Graph& graph = ys.front().graph();
  for (const auto* list : {&ys, &xs, &grad_ys})
    for (const Output& o : *list)
      if (o && &o.graph() != &graph)
        throw Error(Code::InvalidArgument,
                    "Tensor " + o.name() + " must be from the same graph as " + ys.front().name());
  if (grad_ys.size() > ys.size())
    throw Error(Code::InvalidArgument,
                "Passed " + std::to_string(grad_ys.size()) + " grad_ys for " + std::to_string(ys.size()) + " ys");
  const NameScope scope(graph, name);
  Walk walk(ys, xs);
  walk.seed(grad_ys);
  walk.run();
  std::vector<Output> result;
  for (const Output& x : xs) result.push_back(walk.total(key(x)));
  return result;
}

}  // namespace vf
