#include "gradient_cases.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace vf::testing {
namespace {

std::vector<int64_t> read_ints(std::string text) {
  for (char& c : text)
    if (c == '[' || c == ']' || c == ',') c = ' ';
  std::istringstream words(text);
  std::vector<int64_t> values;
  for (int64_t v = 0; words >> v;) values.push_back(v);
  if (!words.eof()) throw std::runtime_error("not a list of integers: " + text);
  return values;
}

DType read_dtype(const std::string& text) {
  static const std::map<std::string, DType> kNames = {{"float", DType::Float}, {"double", DType::Double},
                                                      {"int32", DType::Int32}, {"int64", DType::Int64},
                                                      {"bool", DType::Bool},   {"uint8", DType::UInt8}};
  const auto it = kNames.find(text);
  if (it == kNames.end()) throw std::runtime_error("unknown dtype " + text);
  return it->second;
}

template <class T>
void read_values(std::istream& words, Tensor& tensor) {
  std::string word;
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    if (!(words >> word)) throw std::runtime_error("too few values");
    // strtof rounds the digits once: they give the recorded value back.
    char* end = word.data() + word.size();
    if constexpr (std::is_same_v<T, bool>)
      tensor.data<T>()[i] = word == "true";
    else if constexpr (std::is_same_v<T, float>)
      tensor.data<T>()[i] = std::strtof(word.c_str(), &end);
    else if constexpr (std::is_same_v<T, double>)
      tensor.data<T>()[i] = std::strtod(word.c_str(), &end);
    else
      tensor.data<T>()[i] = static_cast<T>(std::strtoll(word.c_str(), &end, 10));
    if (end != word.data() + word.size()) throw std::runtime_error("not a number: " + word);
  }
  if (words >> word) throw std::runtime_error("too many values");
}

NamedTensor read_tensor(std::istream& words) {
  NamedTensor t;
  std::string dtype;
  std::string shape;
  words >> t.name >> dtype;
  if (dtype == "none") return t;
  words >> shape;
  Shape dims{};
  for (int64_t d : read_ints(shape)) dims.add_dim(d);
  t.value = Tensor(read_dtype(dtype), dims);
  switch (t.value.dtype()) {
    case DType::Float: read_values<float>(words, t.value); break;
    case DType::Double: read_values<double>(words, t.value); break;
    case DType::Int32: read_values<int32_t>(words, t.value); break;
    case DType::Int64: read_values<int64_t>(words, t.value); break;
    case DType::UInt8: read_values<uint8_t>(words, t.value); break;
    default: read_values<bool>(words, t.value); break;
  }
  return t;
}

// NAME: KIND = VALUE
void read_attr(std::istream& words, AttrMap& attrs) {
  std::string name;
  std::string kind;
  std::string equals;
  std::string value;
  words >> name >> kind >> equals >> std::ws;
  std::getline(words, value);
  if (name.empty() || name.back() != ':' || equals != "=" || value.empty()) throw std::runtime_error("no attribute");
  name.pop_back();
  if (kind == "bool")
    attrs.set(name, value == "true");
  else if (kind == "int")
    attrs.set(name, read_ints(value).at(0));
  else if (kind == "float")
    attrs.set(name, std::strtof(value.c_str(), nullptr));
  else if (kind == "string")
    attrs.set(name, value.substr(1, value.size() - 2));
  else if (kind == "list(int)")
    attrs.set(name, read_ints(value));
  else if (kind == "type")
    attrs.set(name, read_dtype(value));
  else
    throw std::runtime_error("unknown kind " + kind);
}

void read_line(const std::string& line, std::vector<GradientCase>& cases) {
  std::istringstream words(line);
  std::string key;
  words >> key;
  if (key == "case") {
    words >> cases.emplace_back().name;
    return;
  }
  if (cases.empty()) throw std::runtime_error("a line before the first case");
  GradientCase& c = cases.back();
  if (key == "op")
    words >> c.op;
  else if (key == "attr")
    read_attr(words, c.attrs);
  else if (key == "input")
    c.inputs.push_back(read_tensor(words));
  else if (key == "output")
    c.outputs.push_back(read_tensor(words));
  else if (key == "output_gradient")
    c.output_gradients.push_back(read_tensor(words));
  else if (key == "gradient")
    c.gradients.push_back(read_tensor(words));
  else if (key == "no_gradient")
    c.no_gradient = true;
  else if (key != "end")
    throw std::runtime_error("unknown line");
}

}  // namespace

std::vector<GradientCase> read_gradient_cases(const std::string& path) {
  std::ifstream file(path);
  std::vector<GradientCase> cases;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    try {
      read_line(line, cases);
    } catch (const std::exception& e) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + e.what());
    }
  }
  if (cases.empty()) throw std::runtime_error(path + ": no cases");
  return cases;
}

}  // namespace vf::testing
