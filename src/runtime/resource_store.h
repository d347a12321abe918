#pragma once
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "varflow/kernel.h"

namespace vf::runtime {

// What is neither variable nor run: random counters, queues, iterators. Thread-safe.
class ResourceStore : public Resources {
 public:
  std::shared_ptr<Resource> get_or_create(const std::string& container, const std::string& name,
                                          const std::string& type,
                                          const std::function<std::shared_ptr<Resource>()>& make) override {
    std::lock_guard lock(mutex_);
    auto& r = resources_[{container, name, type}];
    if (!r) r = make();
    return r;
  }

 private:
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::string>, std::shared_ptr<Resource>> resources_;
};

}  // namespace vf::runtime
