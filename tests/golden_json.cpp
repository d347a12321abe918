#include "golden_json.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace vf::testing {

struct Json::Node {
  std::shared_ptr<const nlohmann::json> document;
  const nlohmann::json* value;
};

Json::Json(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

Json Json::golden(const std::string& file) {
  const std::string path = std::string(VARFLOW_TEST_DATA) + "/" + file;
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  auto document = std::make_shared<const nlohmann::json>(nlohmann::json::parse(in));
  const nlohmann::json* root = document.get();
  return Json(std::make_shared<const Node>(Node{std::move(document), root}));
}

bool Json::has(const std::string& key) const { return node_->value->is_object() && node_->value->contains(key); }

Json Json::at(const std::string& key) const {
  return Json(std::make_shared<const Node>(Node{node_->document, &node_->value->at(key)}));
}

Json Json::at(size_t index) const {
  return Json(std::make_shared<const Node>(Node{node_->document, &node_->value->at(index)}));
}

size_t Json::size() const { return node_->value->size(); }

std::vector<std::string> Json::keys() const {
  std::vector<std::string> result;
  for (const auto& item : node_->value->items()) result.push_back(item.key());
  return result;
}

std::vector<Json> Json::items() const {
  if (!is_array()) throw std::runtime_error("no array: " + dump());
  std::vector<Json> result;
  for (size_t i = 0; i < size(); ++i) result.push_back(at(i));
  return result;
}

bool Json::is_null() const { return node_->value->is_null(); }
bool Json::is_text() const { return node_->value->is_string(); }
bool Json::is_array() const { return node_->value->is_array(); }
bool Json::boolean() const { return node_->value->get<bool>(); }

int64_t Json::integer() const {
  if (!node_->value->is_number_integer()) throw std::runtime_error("no integer: " + dump());
  return node_->value->get<int64_t>();
}

double Json::number() const { return node_->value->get<double>(); }
std::string Json::text() const { return node_->value->get<std::string>(); }
std::vector<double> Json::numbers() const { return node_->value->get<std::vector<double>>(); }

std::vector<int64_t> Json::integers() const {
  std::vector<int64_t> result;
  for (const Json& item : items()) result.push_back(item.integer());
  return result;
}

std::string Json::dump() const { return node_->value->dump(); }

}  // namespace vf::testing
