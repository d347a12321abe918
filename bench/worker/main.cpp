// The program that does Varflow's part of each row of ./dev bench. It reads commands from stdin, a line each, and
// answers each with a line (bench/README.md):
//   prepare ROW FOLDER THREADS  makes the work and writes what others must start from to FOLDER  -> ready
//   answer FOLDER               computes the first steps and writes what they gave to FOLDER     -> ready
//   measure WARM STEPS          -> the seconds that STEPS steps took, after WARM steps
// and with arguments it compares: varflow_worker compare START OURS THEIRS TOLERANCE [NAME...]; exit code 1 where they
// differ.
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>

#include "worker/comparison.h"
#include "worker/work.h"

namespace {

using vf::bench::Work;

std::string serve(const std::string& line, std::unique_ptr<Work>& work) {
  std::istringstream words(line);
  std::string command;
  std::string folder;
  words >> command;
  if (command == "prepare") {
    std::string row;
    vf::bench::WorkOptions options;
    words >> row >> folder >> options.threads;
    work = vf::bench::make_work(row, options);
    vf::bench::write_arrays(folder, work->start());
    return "ready Varflow " VARFLOW_VERSION;
  }
  if (!work) return "error nothing is prepared";
  if (command == "answer") {
    words >> folder;
    vf::bench::write_arrays(folder, work->answer());
    return "ready";
  }
  if (command == "measure") {
    int64_t warm = 0;
    int64_t steps = 0;
    words >> warm >> steps;
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", work->measure(warm, steps));
    return text;
  }
  return "error no command '" + command + "'";
}

int compare_folders(const std::vector<std::string>& arguments) {
  using namespace vf::bench;
  const double tolerance = std::stod(arguments[3]);
  const auto distances = compare(read_arrays(arguments[0]), read_arrays(arguments[1]), read_arrays(arguments[2]),
                                 {arguments.begin() + 4, arguments.end()});
  for (const Distance& d : distances) std::printf("%.2e %s\n", d.distance, d.name.c_str());
  return !distances.empty() && distances.front().distance <= tolerance ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 1) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments[0] != "compare" || arguments.size() < 5) {
      std::fputs("usage: varflow_worker [compare START OURS THEIRS TOLERANCE [NAME...]]\n", stderr);
      return 2;
    }
    return compare_folders({arguments.begin() + 1, arguments.end()});
  }
  std::unique_ptr<Work> work;
  for (std::string line; std::getline(std::cin, line);) {
    std::string reply;
    try {
      reply = serve(line, work);
    } catch (const std::exception& e) {
      reply = std::string("error ") + e.what();
    }
    std::cout << reply << std::endl;
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "varflow_worker: %s\n", e.what());
  return 2;
}
