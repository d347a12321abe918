#pragma once
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "varflow/kernel.h"

namespace vf::runtime {

// What is neither variable nor run: random counters, queues, iterators. Thread-safe.
class ResourceStore : public Resources {
 public:
  std::shared_ptr<Resource> get_or_create(const std::string& container, const std::string& name,
                                          const std::string& type,
                                          const std::function<std::shared_ptr<Resource>()>& make) override;
  // In the order of container, name and type.
  std::vector<ResourceState> save() const;
  // All or nothing. What does not exist yet is restored when it is made.
  void restore(const std::vector<ResourceState>& states);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<Resource>> resources_;
  std::map<Key, std::string> waiting_;  // states of what does not exist yet
};

}  // namespace vf::runtime
