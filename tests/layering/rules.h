#pragma once
// Who may include whom, as data, in this one place.
#include <string>
#include <vector>

namespace layering {

// A folder of src/ and the other folders of src/ whose headers, public ones included, it may include.
struct Room {
  std::string name;
  std::vector<std::string> may_include;
};

struct Rules {
  std::vector<Room> rooms;
  // The room that implements each header of include/varflow/: who may not include the room may not include these.
  // A header of room "" may be included by users, tools and examples, and by no room.
  std::vector<std::pair<std::string, std::string>> public_headers;
  // Beginnings of include paths that belong in .cpp files: each costs every file that sees it most of a second,
  // or ties it to a version of somebody else's library.
  std::vector<std::string> heavy;
  int most_lines = 600;
};

inline const Rules& varflow_rules() {
  static const Rules rules = {
      .rooms =
          {
              {"base", {}},
              {"tensor", {"base"}},
              {"graph", {"tensor", "base"}},
              {"cpu", {"tensor", "base"}},
              {"ops", {"graph", "cpu", "tensor", "base"}},
              {"autodiff", {"graph", "tensor", "base"}},
              // Beside graphs: Saver and initializers from files are TensorFlow's compositions too.
              {"builders", {"graph", "autodiff", "io", "runtime", "tensor", "base"}},
              {"generate", {"graph", "tensor", "base"}},
              {"plan", {"graph", "cpu", "tensor", "base"}},
              {"runtime", {"plan", "graph", "cpu", "tensor", "base"}},
              {"io", {"graph", "tensor", "base"}},
              {"edit", {"builders", "runtime", "io", "graph", "tensor", "base"}},
              {"train", {"builders", "runtime", "io", "edit", "graph", "tensor", "base"}},
          },
      .public_headers =
          {
              {"export.h", "base"},
              {"error.h", "base"},
              {"dtype.h", "tensor"},
              {"shape.h", "tensor"},
              {"tensor.h", "tensor"},
              {"attr.h", "graph"},
              {"graph.h", "graph"},
              {"kernel.h", "graph"},
              {"op.h", "graph"},
              {"function.h", "graph"},
              {"log.h", "graph"},
              {"arrays.h", "io"},
              {"checkpoint.h", "io"},
              {"events.h", "io"},
              {"session.h", "runtime"},
              {"gradients.h", "autodiff"},
              {"initializers.h", "builders"},
              {"variables.h", "builders"},
              {"operators.h", "builders"},
              {"layers.h", "builders"},
              {"train.h", "builders"},
              {"array_functions.h", "builders"},
              {"saver.h", "builders"},
              {"trainer.h", "train"},
              {"varflow.h", ""},
              {"ops/", "builders"},  // generated, one function for each op
          },
      .heavy = {"dnnl", "oneapi/", "nlohmann/", "CLI/", "fmt/", "Eigen/", "leveldb/", "isa-l", "snappy.h", "png.h",
                "zlib.h"},
  };
  return rules;
}

}  // namespace layering
