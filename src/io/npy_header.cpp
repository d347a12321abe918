#include "io/npy_header.h"

#include <charconv>
#include <utility>

#include "varflow/error.h"

namespace vf::io {
namespace {

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"b1", DType::Bool},      {"i1", DType::Int8},        {"u1", DType::UInt8},    {"i2", DType::Int16},
    {"u2", DType::UInt16},    {"i4", DType::Int32},       {"u4", DType::UInt32},   {"i8", DType::Int64},
    {"u8", DType::UInt64},    {"f2", DType::Half},        {"f4", DType::Float},    {"f8", DType::Double},
    {"c8", DType::Complex64}, {"c16", DType::Complex128}, {"V2", DType::BFloat16},
};

// A literal of the few kinds that headers are made of.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::InvalidArgument, what + " before \"" + std::string(rest_.substr(0, 20)) + "\"");
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("no " + std::string(token));
  }
  bool done() {
    skip_blanks();
    return rest_.empty();
  }
  bool at_string() {
    skip_blanks();
    return !rest_.empty() && (rest_.front() == '\'' || rest_.front() == '"');
  }
  std::string take_string() {
    if (!at_string()) fail("no string");
    const size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail("no end of the string");
    std::string value(rest_.substr(1, end - 1));
    if (value.find('\\') != std::string::npos) fail("an escape in a string");
    rest_.remove_prefix(end + 1);
    return value;
  }
  int64_t take_size() {
    skip_blanks();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) fail("no size");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    take("L");  // Python 2
    return value;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

std::vector<int64_t> take_shape(Literal* literal) {
  std::vector<int64_t> shape;
  literal->expect("(");
  while (!literal->take(")")) {
    shape.push_back(literal->take_size());
    if (!literal->take(",")) {
      literal->expect(")");
      break;
    }
  }
  return shape;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view text) {
  NpyHeader header;
  unsigned seen = 0;
  Literal literal(text);
  literal.expect("{");
  while (!literal.take("}")) {
    const std::string key = literal.take_string();
    literal.expect(":");
    if (key == "descr") {
      seen |= 1;
      if (!literal.at_string()) return {};  // a list: records, which the caller refuses
      header.descr = literal.take_string();
    } else if (key == "fortran_order") {
      seen |= 2;
      header.fortran_order = literal.take("True");
      if (!header.fortran_order) literal.expect("False");
    } else if (key == "shape") {
      seen |= 4;
      header.shape = take_shape(&literal);
    } else {
      literal.fail("the unknown key " + key);
    }
    if (!literal.take(",")) {
      literal.expect("}");
      break;
    }
  }
  if (seen != 7 || !literal.done()) literal.fail("not exactly descr, fortran_order and shape");
  return header;
}

std::string format_npy_header(const NpyHeader& header) {
  std::string shape;
  for (size_t i = 0; i < header.shape.size(); ++i)
    shape += (i ? ", " : "") + std::to_string(header.shape[i]) + (header.shape.size() == 1 ? "," : "");
  std::string dict = "{'descr': '" + header.descr + "', 'fortran_order': " + (header.fortran_order ? "True" : "False") +
                     ", 'shape': (" + shape + "), }";
  constexpr size_t kPreamble = 10;
  dict.append(63 - (kPreamble + dict.size()) % 64, ' ');
  dict += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dict.size() & 0xff);
  bytes += static_cast<char>(dict.size() >> 8);
  return bytes + dict;
}

NpyType parse_npy_descr(const std::string& descr) {
  NpyType type;
  if (descr.size() < 2) return type;
  const bool has_order = std::string_view("<>|=").find(descr.front()) != std::string_view::npos;
  const std::string kind = descr.substr(has_order ? 1 : 0);
  type.swapped = descr.front() == '>';
  for (const auto& [name, dtype] : kTypes) {
    if (name != kind) continue;
    type.dtype = dtype;
    type.size = static_cast<int64_t>(dtype_size(dtype));
    return type;
  }
  if (kind.front() == 'S' || kind.front() == 'a' || kind.front() == 'U') {
    uint32_t length = 0;
    const auto [end, error] = std::from_chars(kind.data() + 1, kind.data() + kind.size(), length);
    if (error != std::errc() || end != kind.data() + kind.size()) return type;
    type.dtype = DType::String;
    type.text = kind.front() == 'U';
    type.size = type.text ? int64_t{4} * length : length;
  }
  return type;
}

std::string npy_descr(DType dtype) {
  if (dtype == DType::String) return "|S";
  for (const auto& [name, candidate] : kTypes)
    if (candidate == dtype) return std::string(dtype_size(dtype) == 1 ? "|" : "<").append(name);
  return "";
}

}  // namespace vf::io
