#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace vf::tools {

// Adds `varflow train`; the returned function runs it and gives the exit code.
std::function<int()> add_train_command(CLI::App& app);

}  // namespace vf::tools
