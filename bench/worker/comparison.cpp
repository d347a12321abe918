#include "worker/comparison.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "varflow/arrays.h"

namespace vf::bench {
namespace {

double distance_of(const Tensor* start, const Tensor* ours, const Tensor* theirs) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (!ours || !theirs || ours->shape() != theirs->shape() || (start && start->shape() != ours->shape())) return kFar;
  double difference = 0;
  double size = 0;
  for (int64_t i = 0; i < ours->num_elements(); ++i) {
    const double a = ours->number(i);
    const double b = theirs->number(i);
    const double zero = start ? start->number(i) : 0;
    difference += (a - b) * (a - b);
    size += (b - zero) * (b - zero);
  }
  // An answer that is the start itself proves nothing.
  if (size == 0) return kFar;
  const double distance = std::sqrt(difference / size);
  return std::isfinite(distance) ? distance : kFar;
}

const Tensor* find(const Arrays& arrays, const std::string& name) {
  const auto it = arrays.find(name);
  return it == arrays.end() ? nullptr : &it->second;
}

}  // namespace

std::vector<Distance> compare(const Arrays& start, const Arrays& ours, const Arrays& theirs,
                              const std::vector<std::string>& only) {
  std::set<std::string> names(only.begin(), only.end());
  if (only.empty())
    for (const Arrays* arrays : {&ours, &theirs})
      for (const auto& [name, array] : *arrays) names.insert(name);
  std::vector<Distance> distances;
  for (const std::string& name : names)
    distances.push_back({name, distance_of(find(start, name), find(ours, name), find(theirs, name))});
  std::stable_sort(distances.begin(), distances.end(),
                   [](const Distance& a, const Distance& b) { return a.distance > b.distance; });
  return distances;
}

void write_arrays(const std::string& folder, const Arrays& arrays) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, array] : arrays) {
    std::string file = name;
    std::replace(file.begin(), file.end(), '/', '.');
    write_npy(folder + "/" + file + ".npy", array);
  }
}

Arrays read_arrays(const std::string& folder) {
  Arrays arrays;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".npy") arrays[entry.path().stem().string()] = read_npy(entry.path().string());
  return arrays;
}

}  // namespace vf::bench
