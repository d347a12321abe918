#include "worker/session_work.h"

namespace vf::bench {

void SessionWork::open(const SessionOptions& options, std::vector<Variable> shared) {
  shared_ = std::move(shared);
  session_ = std::make_unique<Session>(graph_, options);
  session_->run({global_variables_initializer(graph_)});
  for (const Variable& v : global_variables(graph_)) initial_.emplace_back(v.ref(), session_->get(v));
}

void SessionWork::restore() { session_->set(initial_); }

Arrays SessionWork::shared_values() {
  Arrays values;
  for (const Variable& v : shared_) values[v.name()] = session_->get(v);
  return values;
}

Arrays SessionWork::start() {
  restore();
  Arrays all = shared_values();
  all.insert(feeds_.begin(), feeds_.end());
  return all;
}

}  // namespace vf::bench
