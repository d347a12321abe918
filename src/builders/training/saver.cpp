#include "varflow/saver.h"

#include <algorithm>

#include "base/env.h"
#include "io/resource_file.h"

namespace vf {

Saver::Saver(Graph& graph, SaverOptions options)
    : variables_(options.var_list.empty() ? global_variables(graph) : std::move(options.var_list)),
      resources_(options.resources),
      history_({.max_to_keep = options.max_to_keep}) {
  if (variables_.empty()) throw Error(Code::InvalidArgument, "No variables to save");
  std::sort(variables_.begin(), variables_.end(),
            [](const Variable& a, const Variable& b) { return a.name() < b.name(); });
  for (size_t i = 1; i < variables_.size(); ++i)
    if (variables_[i].name() == variables_[i - 1].name())
      throw Error(Code::InvalidArgument, "At least two variables have the same name: " + variables_[i].name());
}

std::string Saver::save(Session& session, const std::string& path, int64_t global_step) {
  std::string prefix = global_step >= 0 ? path + "-" + std::to_string(global_step) : path;
  // All versions are pinned before the first byte is written.
  std::vector<Tensor> values;
  for (const Variable& v : variables_) values.push_back(session.view(v));
  const std::vector<ResourceState> resources = resources_ ? session.save_resources() : std::vector<ResourceState>{};
  CheckpointWriter writer(prefix);
  for (size_t i = 0; i < variables_.size(); ++i) writer.add(variables_[i].name(), values[i]);
  Env& env = Env::system();
  const std::string beside = io::resources_path(prefix);
  if (resources_)
    io::write_resources(env, beside, resources);
  else if (env.exists(beside))  // of an older checkpoint of this name
    env.remove(beside);
  writer.finish();
  history_.saved(prefix);
  return prefix;
}

void Saver::restore(Session& session, const std::string& path) const {
  if (!checkpoint_exists(path))
    throw Error(Code::InvalidArgument, "The passed save_path is not a valid checkpoint: " + path);
  const CheckpointReader reader(path);
  std::vector<std::pair<VariableName, Tensor>> values;
  try {
    for (const Variable& v : variables_) values.emplace_back(v, reader.read(v.name(), "", v.dtype()));
    for (const auto& [name, value] : values) {
      const Output& ref = name.output();
      if (!ref.node->attr<Shape>("shape").compatible(value.shape()))
        throw Error(
            Code::InvalidArgument,
            "Assign requires shapes of both tensors to match. lhs shape= " + ref.node->attr<Shape>("shape").str() +
                " rhs shape= " + value.shape().str() + " (variable " + ref.node->name() + ")");
    }
  } catch (const Error& e) {
    if (e.code() == Code::NotFound)
      throw Error(e.code(),
                  std::string("Restoring from checkpoint failed. This is most likely due to a Variable name or "
                              "other graph key that is missing from the checkpoint. Please ensure that you have "
                              "not altered the graph expected based on the checkpoint. Original error:\n\n") +
                      e.what());
    if (e.code() == Code::InvalidArgument)
      throw Error(e.code(),
                  std::string("Restoring from checkpoint failed. This is most likely due to a mismatch between "
                              "the current graph and the graph from the checkpoint. Please ensure that you have "
                              "not altered the graph expected based on the checkpoint. Original error:\n\n") +
                      e.what());
    throw;
  }
  const std::string beside = io::resources_path(path);
  std::vector<ResourceState> resources;
  if (resources_ && Env::system().exists(beside)) resources = io::read_resources(Env::system(), beside);
  session.set(values);
  session.restore_resources(resources);
}

}  // namespace vf
