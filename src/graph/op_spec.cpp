#include "graph/op_spec.h"

#include <cctype>
#include <charconv>

namespace vf {
namespace {

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  [[noreturn]] void fail(const std::string& expected) const {
    throw Error(Code::InvalidArgument,
                "op spec '" + text_ + "': expected " + expected + " at column " + std::to_string(at_ + 1));
  }
  void space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(const std::string& token) {
    space();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  void expect(const std::string& token) {
    if (!accept(token)) fail("'" + token + "'");
  }
  std::string word() {
    space();
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    if (begin == at_) fail("a name");
    return text_.substr(begin, at_ - begin);
  }
  bool done() {
    space();
    return at_ == text_.size();
  }
  char peek() {
    space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a quoted string");
    const size_t end = text_.find(quote, ++at_);
    if (end == std::string::npos) fail("a closing quote");
    std::string s = text_.substr(at_, end - at_);
    for (size_t n = s.find("\\n"); n != std::string::npos; n = s.find("\\n", n + 1)) s.replace(n, 2, "\n");
    at_ = end + 1;
    return s;
  }
  double number() {
    space();
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("a number");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }
  int64_t integer() {
    space();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("an integer");
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }
  DType dtype() {
    std::string name = word();
    const DType d = find_dtype(name);
    if (d == DType::Invalid) fail("a dtype, not '" + name + "'");
    return d;
  }
  static DType find_dtype(const std::string& name) {
    if (name.rfind("DT_", 0) != 0) return dtype_from_name(name);
    std::string lower = name.substr(3);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return dtype_from_name(lower);
  }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

Shape parse_shape(Parser& p) {
  if (p.accept("unknown") || p.accept("<unknown>")) return Shape::unknown();
  Shape s;
  p.expect("[");
  while (!p.accept("]")) {
    if (p.accept("?"))
      s.add_dim(-1);
    else
      s.add_dim(p.integer());
    p.accept(",");
  }
  return s;
}

AttrValue parse_default(Parser& p, const std::string& kind) {
  const auto list = [&](auto element) {
    std::vector<decltype(element())> values;
    p.expect("[");
    while (!p.accept("]")) {
      values.push_back(element());
      p.accept(",");
    }
    return values;
  };
  const auto boolean = [&]() -> bool {
    if (p.accept("true")) return true;
    p.expect("false");
    return false;
  };
  if (kind == "int") return p.integer();
  if (kind == "float") return static_cast<float>(p.number());
  if (kind == "bool") return boolean();
  if (kind == "string") return p.quoted();
  if (kind == "type") return p.dtype();
  if (kind == "shape") return parse_shape(p);
  if (kind == "func") return FunctionName{p.word()};
  if (kind == "list(int)") return list([&] { return p.integer(); });
  if (kind == "list(float)") return list([&] { return static_cast<float>(p.number()); });
  if (kind == "list(string)") return list([&] { return p.quoted(); });
  if (kind == "list(type)") return list([&] { return p.dtype(); });
  if (kind == "list(shape)") return list([&] { return parse_shape(p); });
  if (kind == "list(bool)") return list(boolean);
  p.fail("no default for kind " + kind);
}

// After "{": quoted strings, or dtypes.
std::string parse_choices(Parser& p, AttrSpec& a) {
  const bool strings = p.peek() == '\'' || p.peek() == '"';
  while (!p.accept("}")) {
    if (strings)
      a.allowed_strings.push_back(p.quoted());
    else
      a.allowed_types.push_back(p.dtype());
    p.accept(",");
  }
  return strings ? "string" : "type";
}

template <class T, class F>
std::string joined(const std::vector<T>& list, F text) {
  std::string s;
  for (const T& item : list) {
    if (!s.empty()) s += ", ";
    s += text(item);
  }
  return s;
}

}  // namespace

ArgSpec parse_arg(const std::string& spec) {
  Parser p(spec);
  ArgSpec a;
  a.name = p.word();
  p.expect(":");
  a.is_ref = p.accept("Ref(");
  std::string type = p.word();
  if (p.accept("*")) {
    a.number_attr = type;
    type = p.word();
  }
  a.dtype = Parser::find_dtype(type);
  if (a.dtype == DType::Invalid) a.type_attr = type;
  if (a.is_ref) p.expect(")");
  if (!p.done()) p.fail("the end");
  return a;
}

AttrSpec parse_attr(const std::string& spec) {
  Parser p(spec);
  AttrSpec a;
  a.name = p.word();
  p.expect(":");
  const bool list = p.accept("list(");
  if (p.accept("{")) {
    a.kind = parse_choices(p, a);
  } else {
    a.kind = p.word();
    if (a.kind == "numbertype" || a.kind == "realnumbertype") {
      // In TensorFlow's order.
      if (a.kind == "numbertype")
        a.allowed_types = {DType::Float,      DType::Double,    DType::Int32,  DType::UInt8,   DType::Int16,
                           DType::Int8,       DType::Complex64, DType::Int64,  DType::QInt8,   DType::QUInt8,
                           DType::QInt32,     DType::BFloat16,  DType::QInt16, DType::QUInt16, DType::UInt16,
                           DType::Complex128, DType::Half,      DType::UInt32, DType::UInt64};
      else
        a.allowed_types = {DType::Float, DType::Double,   DType::Int32,  DType::UInt8, DType::Int16,  DType::Int8,
                           DType::Int64, DType::BFloat16, DType::UInt16, DType::Half,  DType::UInt32, DType::UInt64};
      a.kind = "type";
    }
  }
  if (list) {
    p.expect(")");
    a.kind = "list(" + a.kind + ")";
  }
  if (p.accept(">=")) a.minimum = p.integer();
  if (p.accept("=")) a.default_value = parse_default(p, a.kind);
  if (!p.done()) p.fail("the end");
  return a;
}

std::string print_arg(const ArgSpec& a) {
  std::string type = !a.type_list_attr.empty() ? a.type_list_attr
                     : !a.type_attr.empty()    ? a.type_attr
                                               : std::string(dtype_name(a.dtype));
  if (!a.number_attr.empty()) type = a.number_attr + " * " + type;
  if (a.is_ref) type = "Ref(" + type + ")";
  return a.name + ": " + type;
}

std::string print_attr(const AttrSpec& a) {
  std::string kind = a.kind;
  std::string choices;
  if (!a.allowed_types.empty()) choices = "{" + joined(a.allowed_types, [](DType d) { return dtype_name(d); }) + "}";
  if (!a.allowed_strings.empty())
    choices = "{" + joined(a.allowed_strings, [](const std::string& s) { return "'" + s + "'"; }) + "}";
  if (!choices.empty()) kind = kind.rfind("list(", 0) == 0 ? "list(" + choices + ")" : choices;
  std::string s = a.name + ": " + kind;
  if (a.minimum) s += " >= " + std::to_string(*a.minimum);
  if (!a.default_value.empty()) s += " = " + a.default_value.str();
  for (size_t n = s.find('\n'); n != std::string::npos; n = s.find('\n', n)) s.replace(n, 1, "\\n");
  return s;
}

}  // namespace vf
