// The varflow command: argv and printing only.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "train_command.h"
#include "varflow/error.h"

int main(int argc, char** argv) {
  CLI::App app("Change the weights of a TensorFlow model. No TensorFlow.", "varflow");
  app.set_version_flag("--version", "varflow " VARFLOW_VERSION);
  app.require_subcommand(1);
  const auto train = vf::tools::add_train_command(app);
  try {
    app.parse(argc, argv);
    return train();
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;  // 2: wrong use
  } catch (const vf::Error& e) {
    std::fprintf(stderr, "varflow: %s: %s\n", vf::code_name(e.code()), e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "varflow: %s\n", e.what());
  }
  return 1;
}
