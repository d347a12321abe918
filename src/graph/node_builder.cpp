#include <algorithm>
#include <cctype>
#include <set>

#include "graph/reference.h"
#include "varflow/graph.h"
#include "varflow/op.h"

namespace vf {

Operand::Operand(const Shape& shape) : typed_(true) {
  if (!shape.fully_defined())
    throw Error(Code::InvalidArgument, "a shape with unknown sizes cannot be a tensor: " + shape.str());
  literal_ = Tensor(DType::Int32, Shape{shape.rank()});
  for (int i = 0; i < shape.rank(); ++i) literal_.data<int32_t>()[i] = static_cast<int32_t>(shape[i]);
}

Operand::Operand(std::initializer_list<int> values)
    : literal_(Tensor::of<int32_t>(Shape{static_cast<int64_t>(values.size())}, values)), typed_(true) {}

Operand::Operand(const std::vector<int64_t>& values)
    : literal_(DType::Int32, Shape{static_cast<int64_t>(values.size())}), typed_(true) {
  std::copy(values.begin(), values.end(), literal_.data<int32_t>());
}

NodeBuilder& NodeBuilder::input(Operand operand) {
  if (!graph_ && operand.is_output()) graph_ = &operand.output().graph();
  arguments_.push_back({{std::move(operand)}, false});
  return *this;
}

NodeBuilder& NodeBuilder::inputs(std::vector<Operand> list) {
  for (const Operand& o : list)
    if (!graph_ && o.is_output()) graph_ = &o.output().graph();
  arguments_.push_back({std::move(list), true});
  return *this;
}

NodeBuilder& NodeBuilder::attr(std::string name, AttrValue value) {
  attrs_.set(std::move(name), std::move(value));
  return *this;
}

NodeBuilder& NodeBuilder::control(Node* node) {
  controls_.push_back(node);
  return *this;
}

NodeBuilder& NodeBuilder::colocate(Node* node) {
  const auto* own = node->attrs().find("_class");
  return attr("_class", own ? *own : AttrValue(std::vector<std::string>{"loc:@" + node->name()}));
}

namespace {

std::string argument_name(const ArgSpec& arg, size_t i, bool list) {
  return list ? arg.name + "_" + std::to_string(i) : arg.name;
}

[[noreturn]] void fail(const std::string& op, const std::string& name, const std::string& text) {
  throw Error(Code::InvalidArgument, op, name, text);
}

// Infers what the operands say of type and length attributes; checks them against what is set.
class Inference {
 public:
  Inference(const OpDef& op, const std::string& name, AttrMap& attrs) : op_(op), name_(name), attrs_(attrs) {}

  void number(const ArgSpec& arg, size_t n) {
    if (arg.number_attr.empty()) return;
    const AttrValue* set = attrs_.find(arg.number_attr);
    if (set && *set != AttrValue(static_cast<int64_t>(n)))
      fail(op_.name, name_,
           "List argument '" + arg.name + "' has " + std::to_string(n) + " items, but '" + arg.number_attr + "' is " +
               set->str());
    attrs_.set(arg.number_attr, static_cast<int64_t>(n));
  }

  // What the argument's type must be, Invalid where nothing says so yet.
  DType expected(const ArgSpec& arg) const {
    if (arg.dtype != DType::Invalid) return arg.dtype;
    const AttrValue* v = attrs_.find(arg.type_attr);
    return v && v->get<DType>() ? *v->get<DType>() : DType::Invalid;
  }

  void type(const ArgSpec& arg, DType dtype) {
    const DType want = expected(arg);
    if (want == DType::Invalid) {
      attrs_.set(arg.type_attr, dtype);
      return;
    }
    if (want == dtype) return;
    std::string because = " of expected type " + std::string(dtype_python_name(want));
    for (const ArgSpec& other : op_.inputs)
      if (&other != &arg && !arg.type_attr.empty() && other.type_attr == arg.type_attr)
        because =
            " that does not match type " + std::string(dtype_python_name(want)) + " of argument '" + other.name + "'";
    fail(op_.name, name_,
         "Input '" + arg.name + "' of '" + op_.name + "' Op has type " + dtype_python_name(dtype) + because + ".");
  }

 private:
  const OpDef& op_;
  const std::string& name_;
  AttrMap& attrs_;
};

void check_attrs(const OpDef& op, const std::string& name, const AttrMap& attrs) {
  for (const auto& attr : attrs) {
    const std::string& key = attr.first;
    const AttrValue& value = attr.second;
    const AttrSpec* spec = op.find_attr(key);
    if (!spec) {
      if (!key.empty() && key[0] == '_') continue;
      fail(op.name, name, "NodeDef mentions attr '" + key + "' not in Op<name=" + op.name + ">");
    }
    if (spec->kind != value.kind()) {
      const bool empty_list = spec->kind.rfind("list(", 0) == 0 && std::string(value.kind()) == "list(int)" &&
                              value.get<std::vector<int64_t>>()->empty();
      if (!empty_list)
        fail(op.name, name,
             "AttrValue had value with type '" + std::string(value.kind()) + "' when '" + spec->kind +
                 "' expected for attr '" + key + "'");
    }
    const auto allowed_type = [&](DType d) {
      if (!spec->allowed_types.empty() &&
          std::find(spec->allowed_types.begin(), spec->allowed_types.end(), d) == spec->allowed_types.end()) {
        std::string list;
        for (DType t : spec->allowed_types) list += (list.empty() ? "" : ", ") + std::string(dtype_name(t));
        fail(op.name, name,
             "Value for attr '" + key + "' of " + dtype_name(d) + " is not in the list of allowed values: " + list);
      }
    };
    if (const DType* d = value.get<DType>()) allowed_type(*d);
    if (const auto* list = value.get<std::vector<DType>>())
      for (DType d : *list) allowed_type(d);
    if (const std::string* s = value.get<std::string>()) {
      const auto& choices = spec->allowed_strings;
      if (!choices.empty() && std::find(choices.begin(), choices.end(), *s) == choices.end()) {
        std::string list;
        for (const std::string& c : choices) list += (list.empty() ? "\"" : ", \"") + c + "\"";
        fail(op.name, name,
             "Value for attr '" + key + "' of \"" + *s + "\" is not in the list of allowed values: " + list);
      }
    }
    if (spec->minimum) {
      const int64_t* i = value.get<int64_t>();
      if (i && *i < *spec->minimum)
        fail(op.name, name,
             "Value for attr '" + key + "' of " + std::to_string(*i) + " must be at least minimum " +
                 std::to_string(*spec->minimum));
    }
  }
  for (const AttrSpec& spec : op.attrs)
    if (spec.default_value.empty() && !attrs.find(spec.name) && spec.kind.rfind("list(", 0) != 0)
      fail(op.name, name, "NodeDef missing attr '" + spec.name + "' from Op<name=" + op.name + ">");
}

// What is known of a tensor's value while the graph is built.
Tensor constant_value(const Output& o) {
  const Node* n = o.node;
  while (n->op().alias && n->op().passes_reference && !n->inputs().empty() && !n->input(0).is_ref())
    n = n->input(0).node;
  return n->op().constant ? n->attr<Tensor>("value") : Tensor();
}

}  // namespace

Node* NodeBuilder::build() {
  if (!graph_)
    throw Error(Code::InvalidArgument, "[" + op_ + "] needs a graph: none of its inputs is a graph's tensor");
  const OpDef* op = graph_->registry().find(op_);
  if (!op) throw Error(Code::NotFound, "Op type not registered '" + op_ + "'");
  GraphContext& context = graph_->context();
  std::string name = name_.empty() ? op_ : name_;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool word = std::isalnum(static_cast<unsigned char>(name[i])) || name[i] == '.';
    if (!word && (i == 0 || std::string_view("_-/\\>").find(name[i]) == std::string_view::npos))
      throw Error(Code::InvalidArgument, "'" + name + "' is not a valid node name");
  }
  // A name that ends in "/" is taken as it is: the caller reserved it, as the scopes of composed functions do.
  const bool reserved = name.back() == '/';
  if (reserved)
    name.pop_back();
  else
    name = graph_->unique_name(context.name_scope + name);
  if (arguments_.size() != op->inputs.size())
    fail(op_, name, "takes " + std::to_string(op->inputs.size()) + " inputs, not " + std::to_string(arguments_.size()));

  Inference infer(*op, name, attrs_);
  for (size_t a = 0; a < arguments_.size(); ++a) {
    const ArgSpec& arg = op->inputs[a];
    Argument& given = arguments_[a];
    const bool wants_list = !arg.number_attr.empty() || !arg.type_list_attr.empty();
    if (given.list && !wants_list) fail(op_, name, "input '" + arg.name + "' is not a list");
    if (!given.list) given.list = wants_list;
    infer.number(arg, given.operands.size());
    for (const Operand& o : given.operands) {
      if (!o.is_output()) continue;
      if (&o.output().graph() != graph_)
        fail(op_, name, "input '" + arg.name + "' (" + o.output().name() + ") is not an element of this graph");
      if (arg.is_ref && !o.output().is_ref())
        fail(op_, name, "input '" + arg.name + "' needs a variable's reference; " + o.output().name() + " is a value");
      if (arg.type_list_attr.empty()) infer.type(arg, o.output().dtype());
    }
  }
  // Typed literals speak before numbers that take any dtype.
  for (const bool typed : {true, false})
    for (size_t a = 0; a < arguments_.size(); ++a)
      for (const Operand& o : arguments_[a].operands) {
        const ArgSpec& arg = op->inputs[a];
        if (o.is_output() || o.typed() != typed || !arg.type_list_attr.empty()) continue;
        if (infer.expected(arg) == DType::Invalid) infer.type(arg, o.literal().dtype());
      }

  auto node = std::make_unique<Node>();
  node->op_ = op;
  node->graph_ = graph_;
  node->name_ = name;
  node->device_ = context.device;

  std::vector<std::vector<DType>> list_types(arguments_.size());
  for (size_t a = 0; a < arguments_.size(); ++a) {
    const ArgSpec& arg = op->inputs[a];
    for (size_t i = 0; i < arguments_[a].operands.size(); ++i) {
      const Operand& o = arguments_[a].operands[i];
      if (o.is_output()) {
        node->inputs_.push_back(o.output());
      } else {
        Tensor value = o.literal();
        const DType want = arg.type_list_attr.empty() ? infer.expected(arg) : value.dtype();
        if (value.dtype() != want) {
          const bool narrowing = is_floating(value.dtype()) && !is_floating(want);
          const bool index = o.typed() && is_integer(value.dtype()) && is_integer(want);
          if (narrowing || (o.typed() && !index) || !is_plain(want) || !is_plain(value.dtype()))
            fail(op_, name,
                 "Input '" + arg.name + "': expected " + dtype_python_name(want) + ", got " + value.str() +
                     " of type '" + dtype_python_name(value.dtype()) + "' instead.");
          value = value.cast(want);
        }
        const Output c = NodeBuilder(*graph_, "Const")
                             .name(graph_->unique_name(name + "/" + argument_name(arg, i, arguments_[a].list)) + "/")
                             .attr("dtype", value.dtype())
                             .attr("value", value)
                             .output();
        node->inputs_.push_back(c);
      }
      list_types[a].push_back(node->inputs_.back().dtype());
    }
    if (!arg.type_list_attr.empty()) attrs_.set(arg.type_list_attr, list_types[a]);
  }
  for (const AttrSpec& spec : op->attrs)  // an unset list without a default is the empty one only by name
    if (spec.default_value.empty() && !attrs_.find(spec.name) && spec.kind.rfind("list(", 0) == 0)
      fail(op_, name, "NodeDef missing attr '" + spec.name + "' from Op<name=" + op_ + ">");
  check_attrs(*op, name, attrs_);

  if (const Node* forward = context.gradient_of) {
    const bool reads = std::any_of(node->inputs_.begin(), node->inputs_.end(),
                                   [](const Output& in) { return live_variable(in) != nullptr; });
    if (reads) attrs_.set("_forward", forward->name());
  }
  if (!context.colocate.empty() && !attrs_.find("_class"))
    attrs_.set("_class", std::vector<std::string>{"loc:@" + context.colocate});
  for (auto scope = context.gradient_overrides.rbegin(); scope != context.gradient_overrides.rend(); ++scope) {
    const auto it = scope->find(op_);
    if (it == scope->end()) continue;
    attrs_.set("_gradient_op_type", it->second);
    break;
  }
  node->attrs_ = attrs_;

  for (const ArgSpec& arg : op->outputs) {
    const auto add = [&](DType d) { node->outputs_.push_back({Shape::unknown(), d, arg.is_ref}); };
    if (!arg.type_list_attr.empty()) {
      for (DType d : node->attr<std::vector<DType>>(arg.type_list_attr)) add(d);
      continue;
    }
    const DType d = arg.dtype != DType::Invalid ? arg.dtype : node->attr<DType>(arg.type_attr);
    const int64_t n = arg.number_attr.empty() ? 1 : node->attr<int64_t>(arg.number_attr);
    for (int64_t i = 0; i < n; ++i) add(d);
  }

  std::vector<Node*> controls = controls_;
  for (const auto& scope : context.control_dependencies) {
    // A scope is skipped whole where a data input was made under it or is one of it: it comes after already.
    for (Node* c : scope) {
      const bool implied =
          std::any_of(node->inputs_.begin(), node->inputs_.end(), [&](const Output& in) { return in.node == c; });
      if (!implied) controls.push_back(c);
    }
  }
  for (Node* c : controls) {
    if (&c->graph() != graph_) fail(op_, name, "the control input " + c->name() + " is of another graph");
    auto& list = node->control_inputs_;
    if (std::find(list.begin(), list.end(), c) == list.end()) list.push_back(c);
  }

  if (op->shape) {
    std::vector<Shape> shapes;
    std::vector<Tensor> values;
    std::vector<const Tensor*> constants;
    for (size_t i = 0; i < node->inputs_.size(); ++i) {
      shapes.push_back(static_input_shape(*node, static_cast<int>(i)));
      values.push_back(constant_value(node->inputs_[i]));
    }
    for (const Tensor& v : values) constants.push_back(v.valid() ? &v : nullptr);
    std::vector<Shape> results(node->outputs_.size(), Shape::unknown());
    ShapeContext shape_context(*node, shapes, constants, results);
    op->shape(shape_context);
    for (size_t i = 0; i < results.size(); ++i) node->outputs_[i].shape = results[i];
  }
  return graph_->append(std::move(node));
}

Output make(const std::string& op, std::vector<Operand> inputs, const AttrMap& attrs, std::string name) {
  for (const Operand& o : inputs)
    if (o.is_output()) return make(o.output().graph(), op, std::move(inputs), attrs, std::move(name));
  throw Error(Code::InvalidArgument, "[" + op + "] needs a graph: none of its inputs is a graph's tensor");
}

Output make(Graph& graph, const std::string& op, std::vector<Operand> inputs, const AttrMap& attrs, std::string name) {
  NodeBuilder b(graph, op);
  const OpDef* def = graph.registry().find(op);
  const size_t arguments = def ? def->inputs.size() : inputs.size();
  // The signature's list argument takes what the others leave.
  size_t next = 0;
  for (size_t a = 0; a < arguments && next <= inputs.size(); ++a) {
    const bool list = def && (!def->inputs[a].number_attr.empty() || !def->inputs[a].type_list_attr.empty());
    if (list) {
      const size_t others = arguments - 1;
      const size_t count = inputs.size() > others ? inputs.size() - others : 0;
      b.inputs(std::vector<Operand>(inputs.begin() + static_cast<std::ptrdiff_t>(next),
                                    inputs.begin() + static_cast<std::ptrdiff_t>(next + count)));
      next += count;
    } else if (next < inputs.size()) {
      b.input(inputs[next++]);
    }
  }
  while (next < inputs.size()) b.input(inputs[next++]);  // too many: build() says so
  for (const auto& [key, value] : attrs) b.attr(key, value);
  return b.name(std::move(name)).output();
}

}  // namespace vf
