#include "runtime/resource_store.h"

namespace vf::runtime {

std::shared_ptr<Resource> ResourceStore::get_or_create(const std::string& container, const std::string& name,
                                                       const std::string& type,
                                                       const std::function<std::shared_ptr<Resource>()>& make) {
  const Key key{container, name, type};
  std::lock_guard lock(mutex_);
  if (const auto it = resources_.find(key); it != resources_.end()) return it->second;
  std::shared_ptr<Resource> made = make();
  if (const auto state = waiting_.find(key); state != waiting_.end()) {
    made->restore(state->second);
    waiting_.erase(state);
  }
  return resources_[key] = std::move(made);
}

std::vector<ResourceState> ResourceStore::save() const {
  std::lock_guard lock(mutex_);
  std::map<Key, std::string> states = waiting_;
  for (const auto& [key, resource] : resources_)
    if (std::optional<std::string> bytes = resource->save()) states[key] = std::move(*bytes);
  std::vector<ResourceState> list;
  for (auto& [key, bytes] : states)
    list.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::move(bytes)});
  return list;
}

void ResourceStore::restore(const std::vector<ResourceState>& states) {
  std::lock_guard lock(mutex_);
  std::map<Key, std::string> waiting = waiting_;
  std::vector<std::pair<Resource*, std::string>> before;
  try {
    for (const ResourceState& s : states) {
      const Key key{s.container, s.name, s.type};
      const auto it = resources_.find(key);
      if (it == resources_.end()) {
        waiting[key] = s.bytes;
        continue;
      }
      std::optional<std::string> old = it->second->save();
      it->second->restore(s.bytes);
      if (old) before.emplace_back(it->second.get(), std::move(*old));
    }
  } catch (...) {
    for (auto r = before.rbegin(); r != before.rend(); ++r) r->first->restore(r->second);
    throw;
  }
  waiting_ = std::move(waiting);
}

}  // namespace vf::runtime
