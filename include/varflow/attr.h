#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "varflow/dtype.h"
#include "varflow/export.h"
#include "varflow/shape.h"
#include "varflow/tensor.h"

namespace vf {

// The name of a function in the graph's library (TensorFlow's `func` attributes).
struct FunctionName {
  std::string name;
  friend bool operator==(const FunctionName&, const FunctionName&) = default;
};

// The value of an attribute: TensorFlow's AttrValue. Kinds by name: int, float, bool, string, type, shape, tensor,
// func, list(int), list(float), list(bool), list(string), list(type), list(shape).
class VF_API AttrValue {
 public:
  using Value = std::variant<std::monostate, int64_t, float, bool, std::string, DType, Shape, Tensor, FunctionName,
                             std::vector<int64_t>, std::vector<float>, std::vector<bool>, std::vector<std::string>,
                             std::vector<DType>, std::vector<Shape>>;
  AttrValue() = default;
  AttrValue(int64_t v) : value_(v) {}
  AttrValue(int v) : value_(static_cast<int64_t>(v)) {}
  AttrValue(float v) : value_(v) {}
  AttrValue(double v) : value_(static_cast<float>(v)) {}
  AttrValue(bool v) : value_(v) {}
  AttrValue(std::string v) : value_(std::move(v)) {}
  AttrValue(const char* v) : value_(std::string(v)) {}
  AttrValue(DType v) : value_(v) {}
  AttrValue(const Shape& v) : value_(v) {}
  // A copy where somebody else holds the tensor too: what it was made from may be written afterwards.
  AttrValue(Tensor v) : value_(v.valid() && !v.buffer()->unique() ? v.clone() : std::move(v)) {}
  AttrValue(FunctionName v) : value_(std::move(v)) {}
  AttrValue(std::vector<int64_t> v) : value_(std::move(v)) {}
  AttrValue(std::vector<float> v) : value_(std::move(v)) {}
  AttrValue(std::vector<bool> v) : value_(std::move(v)) {}
  AttrValue(std::vector<std::string> v) : value_(std::move(v)) {}
  AttrValue(std::vector<DType> v) : value_(std::move(v)) {}
  AttrValue(std::vector<Shape> v) : value_(std::move(v)) {}

  bool empty() const { return std::holds_alternative<std::monostate>(value_); }
  // nullptr where the value is of another kind.
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value_);
  }
  const Value& value() const { return value_; }
  // "int", "list(type)", ...; "" where empty.
  const char* kind() const;
  // As in op signatures and TensorFlow's messages: 3, 'SAME', DT_FLOAT, [1, 2].
  std::string str() const;
  friend VF_API bool operator==(const AttrValue& a, const AttrValue& b);

 private:
  Value value_;
};

// A few attributes, in the order in which they were set.
class VF_API AttrMap {
 public:
  AttrMap() = default;
  AttrMap(std::initializer_list<std::pair<std::string, AttrValue>> items) : items_(items) {}
  const AttrValue* find(std::string_view name) const;
  void set(std::string name, AttrValue value);  // replaces
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  size_t size() const { return items_.size(); }

 private:
  std::vector<std::pair<std::string, AttrValue>> items_;
};

}  // namespace vf
