#include "varflow/attr.h"

#include <cstdio>
#include <cstring>

namespace vf {
namespace {

struct KindOf {
  const char* operator()(std::monostate) const { return ""; }
  const char* operator()(int64_t) const { return "int"; }
  const char* operator()(float) const { return "float"; }
  const char* operator()(bool) const { return "bool"; }
  const char* operator()(const std::string&) const { return "string"; }
  const char* operator()(DType) const { return "type"; }
  const char* operator()(const Shape&) const { return "shape"; }
  const char* operator()(const Tensor&) const { return "tensor"; }
  const char* operator()(const FunctionName&) const { return "func"; }
  const char* operator()(const std::vector<int64_t>&) const { return "list(int)"; }
  const char* operator()(const std::vector<float>&) const { return "list(float)"; }
  const char* operator()(const std::vector<bool>&) const { return "list(bool)"; }
  const char* operator()(const std::vector<std::string>&) const { return "list(string)"; }
  const char* operator()(const std::vector<DType>&) const { return "list(type)"; }
  const char* operator()(const std::vector<Shape>&) const { return "list(shape)"; }
};

struct Text {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(int64_t v) const { return std::to_string(v); }
  std::string operator()(float v) const {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(v));
    return text;
  }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(const std::string& v) const { return "'" + v + "'"; }
  std::string operator()(DType v) const { return dtype_name(v); }
  std::string operator()(const Shape& v) const { return v.str(); }
  std::string operator()(const Tensor& v) const { return v.str(); }
  std::string operator()(const FunctionName& v) const { return v.name; }
  template <class T>
  std::string operator()(const std::vector<T>& list) const {
    std::string s = "[";
    for (size_t i = 0; i < list.size(); ++i) {
      if (i) s += ", ";
      s += (*this)(static_cast<T>(list[i]));
    }
    return s + "]";
  }
};

bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  if (a.dtype() == DType::String) {
    const auto x = a.values<std::string>();
    const auto y = b.values<std::string>();
    return std::equal(x.begin(), x.end(), y.begin());
  }
  return is_plain(a.dtype()) && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

}  // namespace

const char* AttrValue::kind() const { return std::visit(KindOf{}, value_); }

std::string AttrValue::str() const { return std::visit(Text{}, value_); }

bool operator==(const AttrValue& a, const AttrValue& b) {
  if (a.value_.index() != b.value_.index()) return false;
  if (const Tensor* t = a.get<Tensor>()) return same(*t, *b.get<Tensor>());
  return std::visit(
      [&]<class T>(const T& v) {
        if constexpr (std::is_same_v<T, Tensor>)
          return false;
        else
          return v == std::get<T>(b.value_);
      },
      a.value_);
}

const AttrValue* AttrMap::find(std::string_view name) const {
  for (const auto& [key, value] : items_)
    if (key == name) return &value;
  return nullptr;
}

void AttrMap::set(std::string name, AttrValue value) {
  for (auto& [key, old] : items_) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  items_.emplace_back(std::move(name), std::move(value));
}

}  // namespace vf
