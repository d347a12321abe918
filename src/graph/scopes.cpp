#include <algorithm>
#include <cctype>

#include "varflow/graph.h"

namespace vf {

NameScope::NameScope(Graph& graph, const std::string& name) : graph_(graph) {
  GraphContext& context = graph.context();
  previous_ = context.name_scope;
  for (char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view("._-/\\>").find(c) == std::string_view::npos)
      throw Error(Code::InvalidArgument, "'" + name + "' is not a valid scope name");
  if (name.empty())
    name_ = "";
  else if (name.back() == '/')
    name_ = name;
  else
    name_ = graph.unique_name(context.name_scope + name) + "/";
  context.name_scope = name_;
}

NameScope::~NameScope() { graph_.context().name_scope = previous_; }

ControlDependencies::ControlDependencies(Graph& graph, std::vector<Node*> nodes) : graph_(graph) {
  graph.context().control_dependencies.push_back(std::move(nodes));
}

ControlDependencies::ControlDependencies(Graph& graph, std::initializer_list<Output> outputs) : graph_(graph) {
  std::vector<Node*> nodes;
  for (const Output& o : outputs) nodes.push_back(o.node);
  graph.context().control_dependencies.push_back(std::move(nodes));
}

ControlDependencies::~ControlDependencies() { graph_.context().control_dependencies.pop_back(); }

GradientOverride::GradientOverride(Graph& graph, std::map<std::string, std::string> gradient_of_type) : graph_(graph) {
  graph.context().gradient_overrides.push_back(std::move(gradient_of_type));
}

GradientOverride::~GradientOverride() { graph_.context().gradient_overrides.pop_back(); }

}  // namespace vf
