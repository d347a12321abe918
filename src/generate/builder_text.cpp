#include "generate/builder_text.h"

#include <cctype>
#include <set>

namespace vf::generate {
namespace {

// Functions of the hand-written headers with the same meaning and more comfort.
const std::set<std::string> kTaken = {"assign",   "assign_add", "assign_sub",     "placeholder",
                                      "variable", "constant",   "random_uniform", "truncated_normal",
                                      "max_pool", "group",      "random_normal"};
// Words that C++ keeps for itself.
const std::set<std::string> kKeywords = {"default", "delete", "new",   "switch",   "case", "for",  "if",
                                         "while",   "and",    "or",    "not",      "xor",  "bool", "float",
                                         "double",  "int",    "const", "template", "class"};

std::string snake_case(const std::string& name) {
  std::string s;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool word = std::isupper(c) && i > 0 &&
                      (std::islower(static_cast<unsigned char>(name[i - 1])) ||
                       (i + 1 < name.size() && std::islower(static_cast<unsigned char>(name[i + 1])) &&
                        std::isalpha(static_cast<unsigned char>(name[i - 1]))));
    if (word) s += '_';
    s += static_cast<char>(std::tolower(c));
  }
  return s;
}

std::string function_name(const OpDef& op) {
  const std::string name = op.function_name.empty() ? snake_case(op.name) : op.function_name;
  return kTaken.count(name) || kKeywords.count(name) ? name + "_op" : name;
}

std::string safe(const std::string& name) { return kKeywords.count(name) ? name + "_" : name; }

const char* cpp_type(const std::string& kind) {
  if (kind == "int") return "int64_t";
  if (kind == "float") return "float";
  if (kind == "bool") return "bool";
  if (kind == "string") return "std::string";
  if (kind == "type") return "DType";
  if (kind == "shape") return "Shape";
  if (kind == "tensor") return "Tensor";
  if (kind == "func") return "FunctionName";
  if (kind == "list(int)") return "std::vector<int64_t>";
  if (kind == "list(float)") return "std::vector<float>";
  if (kind == "list(bool)") return "std::vector<bool>";
  if (kind == "list(string)") return "std::vector<std::string>";
  if (kind == "list(type)") return "std::vector<DType>";
  if (kind == "list(shape)") return "std::vector<Shape>";
  throw Error(Code::Unimplemented, "no C++ type for attributes of kind " + kind);
}

struct Literal {
  std::string operator()(std::monostate) const { return "{}"; }
  std::string operator()(int64_t v) const { return std::to_string(v); }
  std::string operator()(float v) const {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(v));
    const std::string s = text;
    return s + (s.find_first_of(".e") == std::string::npos ? ".0F" : "F");
  }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(const std::string& v) const {
    std::string s = "\"";
    for (const char c : v) s += c == '\n' ? std::string("\\n") : std::string(1, c);
    return s + "\"";
  }
  std::string operator()(DType v) const {
    return "static_cast<DType>(" + std::to_string(static_cast<int>(v)) + ") /* " + dtype_name(v) + " */";
  }
  std::string operator()(const Shape& v) const {
    if (!v.has_rank()) return "Shape::unknown()";
    std::string s = "Shape{";
    for (int i = 0; i < v.rank(); ++i) s += (i ? ", " : "") + std::to_string(v[i]);
    return s + "}";
  }
  std::string operator()(const Tensor&) const { return "{}"; }
  std::string operator()(const FunctionName& v) const { return "{\"" + v.name + "\"}"; }
  template <class T>
  std::string operator()(const std::vector<T>& list) const {
    std::string s = "{";
    for (size_t i = 0; i < list.size(); ++i) s += (i ? ", " : "") + (*this)(static_cast<T>(list[i]));
    return s + "}";
  }
};

bool is_list(const ArgSpec& a) { return !a.number_attr.empty() || !a.type_list_attr.empty(); }

// Whether the inputs say what the attribute is.
bool inferred(const OpDef& op, const AttrSpec& attr) {
  for (const ArgSpec& a : op.inputs)
    if (a.type_attr == attr.name || a.number_attr == attr.name || a.type_list_attr == attr.name) return true;
  return false;
}

struct Function {
  const OpDef& op;
  std::string name = function_name(op);
  std::string options = op.name + (name.ends_with("_op") ? "Op" : "") + "Options";
  std::vector<const AttrSpec*> required;
  std::vector<const AttrSpec*> optional;

  explicit Function(const OpDef& o) : op(o) {
    for (const AttrSpec& a : op.attrs) {
      if (inferred(op, a)) continue;
      (a.default_value.empty() ? required : optional).push_back(&a);
    }
  }

  std::string result() const {
    if (op.outputs.empty()) return "Node*";
    if (op.outputs.size() == 1) return is_list(op.outputs[0]) ? "std::vector<Output>" : "Output";
    return op.name + "Outputs";
  }

  std::string declaration(bool defaults) const {
    std::string s = result() + " " + name + "(";
    bool first = true;
    const auto add = [&](const std::string& p) {
      s += (first ? "" : ", ") + p;
      first = false;
    };
    if (op.inputs.empty()) add("Graph& graph");
    for (const ArgSpec& a : op.inputs)
      add((is_list(a) ? "const std::vector<Operand>& "
           : a.is_ref ? "const Output& "
                      : "const Operand& ") +
          safe(a.name));
    for (const AttrSpec* a : required) add("const " + std::string(cpp_type(a->kind)) + "& " + safe(a->name));
    add("const " + options + "& options" + (defaults ? " = {}" : ""));
    return s + ")";
  }

  std::string structs() const {
    std::string s = "struct " + options + " {\n";
    for (const AttrSpec* a : optional)
      s += "  " + std::string(cpp_type(a->kind)) + " " + safe(a->name) + " = " +
           std::visit(Literal{}, a->default_value.value()) + ";\n";
    s += "  std::string name = {};\n};\n";
    if (op.outputs.size() > 1) {
      s += "struct " + op.name + "Outputs {\n";
      for (const ArgSpec& a : op.outputs)
        s += std::string("  ") + (is_list(a) ? "std::vector<Output> " : "Output ") + safe(a.name) + ";\n";
      s += "};\n";
    }
    return s;
  }

  std::string body() const {
    std::string s = declaration(false) + " {\n  NodeBuilder b_(" + (op.inputs.empty() ? "graph, " : "") + "\"" +
                    op.name + "\");\n  b_.name(options.name);\n";
    for (const ArgSpec& a : op.inputs)
      s += std::string("  b_.") + (is_list(a) ? "inputs(" : "input(") + safe(a.name) + ");\n";
    for (const AttrSpec* a : required) s += "  b_.attr(\"" + a->name + "\", " + safe(a->name) + ");\n";
    for (const AttrSpec* a : optional) s += "  b_.attr(\"" + a->name + "\", options." + safe(a->name) + ");\n";
    s += "  Node* n_ = b_.build();\n";
    if (op.outputs.empty()) return s + "  return n_;\n}\n";
    if (op.outputs.size() == 1) {
      if (!is_list(op.outputs[0])) return s + "  return Output(n_, 0);\n}\n";
      return s + "  return all_outputs(n_, 0, n_->num_outputs());\n}\n";
    }
    s += "  int at_ = 0;\n  " + op.name + "Outputs result_;\n";
    for (const ArgSpec& a : op.outputs) {
      if (!is_list(a)) {
        s += "  result_." + safe(a.name) + " = Output(n_, at_++);\n";
        continue;
      }
      const std::string count = a.number_attr.empty()
                                    ? "n_->attr<std::vector<DType>>(\"" + a.type_list_attr + "\").size()"
                                    : "n_->attr<int64_t>(\"" + a.number_attr + "\")";
      s += "  result_." + safe(a.name) + " = all_outputs(n_, at_, at_ + static_cast<int>(" + count + "));\n";
      s += "  at_ += static_cast<int>(" + count + ");\n";
    }
    return s + "  static_cast<void>(at_);\n  return result_;\n}\n";
  }
};

}  // namespace

BuilderText builders_of(const OpRegistry& registry, const std::string& family) {
  BuilderText t;
  t.header =
      "#pragma once\n// Builders of the ops of family " + family +
      ", generated from their signatures. Inputs are outputs, variables or literals; lists are vectors; attributes "
      "that\n"
      "// have a default are members of the options, by name. Where a hand-written function has the name, `_op` is "
      "added.\n#include <string>\n#include <vector>\n\n#include \"varflow/graph.h\"\n\nnamespace vf {\n";
  t.source =
      "#include \"varflow/ops/" + family +
      ".h\"\n\nnamespace vf {\nnamespace {\n\n[[maybe_unused]] std::vector<Output> all_outputs(Node* n, int begin, "
      "int end) {\n  std::vector<Output> list;\n  for (int i = begin; i < end; ++i) list.emplace_back(n, i);\n  "
      "return list;\n}\n\n}  // namespace\n";
  std::set<std::string> names;
  for (const auto& op : registry.ops()) {
    if (op->family != family || op->name[0] == '_') continue;
    Function f(*op);
    if (!names.insert(f.name).second)
      throw Error(Code::AlreadyExists, "two ops of family " + family + " make the builder " + f.name);
    t.header += "\n" + f.structs() + "// " + op->doc + "\nVF_API " + f.declaration(true) + ";\n";
    t.source += "\n" + f.body();
  }
  t.header += "\n}  // namespace vf\n";
  t.source += "\n}  // namespace vf\n";
  return t;
}

}  // namespace vf::generate
