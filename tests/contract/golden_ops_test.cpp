// Every op against values of real TensorFlow (tests/golden/op_cases.txt, made by make_op_cases.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "contract/sample.h"
#include "graph/op_spec.h"

namespace vf::contract {
namespace {

struct Case {
  std::string op;
  int line = 0;
  AttrMap attrs;
  std::vector<std::pair<bool, std::vector<Tensor>>> arguments;  // whether it is a list
  std::vector<Tensor> outputs;
  double near = 4;
};

Shape parse_shape(const std::string& text) {
  Shape s;
  std::istringstream sizes(text.substr(1, text.size() - 2));
  for (std::string size; std::getline(sizes, size, ',');) s.add_dim(std::stoll(size));
  return s;
}

Tensor parse_tensor(std::istream& in) {
  std::string dtype;
  std::string shape;
  in >> dtype >> shape;
  Tensor t(dtype_from_name(dtype), parse_shape(shape));
  std::string value;
  for (int64_t i = 0; i < t.num_elements() && in >> value; ++i) {
    switch (t.dtype()) {
      case DType::Int64: t.data<int64_t>()[i] = std::stoll(value); break;
      case DType::Double: t.data<double>()[i] = std::strtod(value.c_str(), nullptr); break;
      default: {
        const Tensor one = Tensor(std::strtod(value.c_str(), nullptr)).cast(t.dtype());
        std::copy_n(static_cast<const char*>(one.raw()), dtype_size(t.dtype()),
                    static_cast<char*>(t.raw()) + static_cast<size_t>(i) * dtype_size(t.dtype()));
      }
    }
  }
  return t;
}

std::vector<Case> read_cases() {
  std::ifstream file(VARFLOW_TEST_DATA "/op_cases.txt");
  std::vector<Case> cases;
  bool list = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream in(line);
    std::string word;
    if (!(in >> word) || word[0] == '#') continue;
    if (word == "op") {
      cases.emplace_back();
      in >> cases.back().op;
      cases.back().line = number;
      continue;
    }
    Case& c = cases.back();
    if (word == "attr") {
      std::string name;
      in >> name;
      const OpDef* op = OpRegistry::standard().find(c.op);
      const AttrSpec* spec = op ? op->find_attr(name) : nullptr;
      if (spec) c.attrs.set(name, parse_attr(name + ": " + spec->kind + line.substr(line.find(" ="))).default_value);
    } else if (word == "list") {
      list = true;
      c.arguments.push_back({true, {}});
    } else if (word == "end") {
      list = false;
    } else if (word == "in") {
      if (!list) c.arguments.push_back({false, {}});
      c.arguments.back().second.push_back(parse_tensor(in));
    } else if (word == "out") {
      c.outputs.push_back(parse_tensor(in));
    } else if (word == "near") {
      in >> c.near;
    }
  }
  return cases;
}

enum class Inputs { Constants, Fed };

std::vector<Tensor> run_case(const Case& c, Inputs inputs) {
  Graph graph;
  NodeBuilder builder(graph, c.op);
  Feeds feeds;
  for (const auto& [list, values] : c.arguments) {
    std::vector<Operand> operands;
    for (const Tensor& v : values) {
      if (inputs == Inputs::Constants) {
        operands.emplace_back(v);
        continue;
      }
      const Output in = make(graph, "Placeholder", {}, {{"dtype", v.dtype()}});
      feeds.emplace_back(in, v);
      operands.emplace_back(in);
    }
    if (list)
      builder.inputs(operands);
    else
      builder.input(operands[0]);
  }
  for (const auto& [name, value] : c.attrs) builder.attr(name, value);
  Node* node = builder.build();
  Session session(graph, {.threads = 1});
  Fetches fetches;
  for (int i = 0; i < node->num_outputs(); ++i) fetches.emplace_back(Output(node, i));
  return session.run(fetches, feeds);
}

void expect_near(const Tensor& got, const Tensor& want, double near) {
  ASSERT_EQ(got.dtype(), want.dtype());
  ASSERT_EQ(got.shape(), want.shape());
  double greatest = 0;
  for (int64_t i = 0; i < want.num_elements(); ++i)
    if (std::isfinite(want.number(i))) greatest = std::max(greatest, std::abs(want.number(i)));
  for (int64_t i = 0; i < want.num_elements(); ++i) {
    const double x = got.number(i);
    const double y = want.number(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    EXPECT_LE(std::abs(x - y), near * epsilon(want.dtype()) * greatest)
        << "element " << i << ": " << x << ", not " << y;
  }
}

TEST(GoldenOps, GiveWhatTensorFlowGives) {
  const std::vector<Case> cases = read_cases();
  ASSERT_GT(cases.size(), 200U);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.op + ", line " + std::to_string(c.line));
    if (!OpRegistry::standard().find(c.op)) {
      ADD_FAILURE() << "no such op";
      continue;
    }
    for (const Inputs inputs : {Inputs::Constants, Inputs::Fed}) {
      SCOPED_TRACE(inputs == Inputs::Fed ? "fed" : "constant");
      try {
        const std::vector<Tensor> got = run_case(c, inputs);
        ASSERT_EQ(got.size(), c.outputs.size());
        for (size_t o = 0; o < got.size(); ++o) expect_near(got[o], c.outputs[o], c.near);
      } catch (const Error& e) {
        ADD_FAILURE() << e.what();
      }
    }
  }
}

TEST(GoldenOps, CoverEveryOp) {
  // Ops of these have values of TensorFlow's elsewhere, or none to compare.
  const std::set<std::string> elsewhere{
      "Const",
      "Placeholder",
      "NoOp",  // no computation
      "FusedBatchNormV3",
      "FusedBatchNormGradV3",  // tests/cpu/batch_norm_test.cpp; reserve spaces differ
  };
  std::set<std::string> covered;
  for (const Case& c : read_cases()) covered.insert(c.op);
  for (const auto& op : OpRegistry::standard().ops()) {
    const bool state = !op->accesses.empty() || op->stateful || op->block != BlockKind::None;
    const bool own = op->name.rfind("Vf", 0) == 0;
    if (state || own || elsewhere.count(op->name)) continue;
    EXPECT_TRUE(covered.count(op->name)) << op->name;
  }
}

}  // namespace
}  // namespace vf::contract
