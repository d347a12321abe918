#pragma once
// Events that real TensorFlow wrote (tests/golden/make_events.py), taken apart by hand.
#include <cstdlib>
#include <fstream>
#include <protozero/pbf_reader.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/env.h"
#include "io/tfrecord.h"
#include "varflow/tensor.h"

namespace vf::testing {

inline std::string golden_path(const std::string& name) { return std::string(VARFLOW_TEST_DATA) + "/events/" + name; }

inline std::vector<std::string> read_records(const std::string& path) {
  io::RecordReader reader(Env::system(), path);
  std::vector<std::string> all;
  for (std::string record; reader.next(&record);) all.push_back(record);
  return all;
}

inline double wall_time(const std::string& event) {
  protozero::pbf_reader reader(event);
  return reader.next(1) ? reader.get_double() : 0;
}

// The bytes of the message in field `field` of an event's only summary value.
inline std::string value_field(const std::string& event, protozero::pbf_tag_type field) {
  protozero::pbf_reader reader(event);
  if (!reader.next(5)) return "";
  auto summary = reader.get_message();
  if (!summary.next(1)) return "";
  auto value = summary.get_message();
  return value.next(field) ? value.get_string() : "";
}

struct HistogramCase {
  std::string name;
  std::string dtype;
  std::vector<double> values;
  Tensor tensor() const {
    const Shape shape{static_cast<int64_t>(values.size())};
    return Tensor::of<double>(shape, std::span<const double>(values)).cast(dtype_from_name(dtype));
  }
};
inline std::vector<HistogramCase> histogram_cases() {
  std::ifstream file(golden_path("values.txt"));
  std::vector<HistogramCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    HistogramCase next;
    words >> next.name >> next.dtype;
    for (std::string word; words >> word;) next.values.push_back(std::strtod(word.c_str(), nullptr));
    cases.push_back(next);
  }
  return cases;
}

}  // namespace vf::testing
