#pragma once
// A light view of the JSON files in tests/golden: only golden_json.cpp includes the parser.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vf::testing {

// A value inside a document, which it keeps alive; copied freely. A read that does not fit throws std::runtime_error.
class Json {
 public:
  // The whole file of that name in tests/golden.
  static Json golden(const std::string& file);

  bool has(const std::string& key) const;  // false too where this is no object
  Json at(const std::string& key) const;   // of an object
  Json at(size_t index) const;             // of an array
  size_t size() const;                     // elements of an array, members of an object
  std::vector<std::string> keys() const;   // of an object, sorted
  std::vector<Json> items() const;         // of an array
  bool is_null() const;
  bool is_text() const;
  bool is_array() const;
  bool boolean() const;
  int64_t integer() const;  // a number without fraction, exact
  double number() const;
  std::string text() const;
  std::vector<double> numbers() const;    // of an array
  std::vector<int64_t> integers() const;  // of an array
  std::string dump() const;               // as JSON again, for messages

 private:
  struct Node;
  explicit Json(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node_;
};

}  // namespace vf::testing
