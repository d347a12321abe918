// Print and PrintV2: the words are TensorFlow's (tests/golden/make_print_cases.py), the way out is the session's log.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "ops/logging/summary.h"
#include "varflow/gradients.h"
#include "varflow/session.h"
#include "varflow/variables.h"

namespace vf {
namespace {

std::vector<std::string> fields(const std::string& line, char separator) {
  std::vector<std::string> result;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);) result.push_back(field);
  return result;
}

TEST(Print, ShowsTensorsAsTensorFlow) {
  std::ifstream file(VARFLOW_TEST_DATA "/print_cases.txt");
  int cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> f = fields(line, '\t');
    ASSERT_EQ(f.size(), 5U) << line;
    Shape shape;
    for (const std::string& d : fields(f[1], ',')) shape.add_dim(std::stoll(d));
    const std::vector<std::string> words = fields(f[3], ' ');
    ASSERT_EQ(static_cast<int64_t>(words.size()), shape.num_elements()) << line;
    Tensor value;
    if (f[0] == "string") {
      value = Tensor(DType::String, shape);
      std::copy(words.begin(), words.end(), value.data<std::string>());
    } else {
      Tensor wide(DType::Double, shape);
      for (size_t i = 0; i < words.size(); ++i) wide.data<double>()[i] = std::stod(words[i]);
      DType dtype = DType::Invalid;
      for (int d = 1; d < 64; ++d)
        if (f[0] == dtype_python_name(static_cast<DType>(d))) dtype = static_cast<DType>(d);
      value = wide.cast(dtype);
      if (f[0] == "uint64" || f[0] == "int64")  // beyond the digits of a double there is none here
        for (size_t i = 0; i < words.size(); ++i) static_cast<uint64_t*>(value.raw())[i] = std::stoull(words[i]);
    }
    EXPECT_EQ("[" + summary(value.dtype(), shape, value.raw(), std::stoll(f[2])) + "]", f[4]) << line;
    ++cases;
  }
  EXPECT_GT(cases, 300);
}

class PrintOp : public ::testing::Test {
 protected:
  SessionOptions listening() {
    SessionOptions options;
    options.log = [this](const LogRecord& r) { records.push_back(r); };
    return options;
  }
  Graph graph;
  std::vector<LogRecord> records;
};

TEST_F(PrintOp, LogsThroughTheSessionsSink) {
  const Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{-1}}});
  const Output shown =
      make(graph, "Print", {x, x, Tensor("word"), make("Mul", {x, 2.0F})}, {{"message", "x: "}}, "say");
  const Output sum = make("Sum", {shown, Tensor::vector<int32_t>({0})});
  Session session(graph, listening());
  const Tensor fed = Tensor::vector<float>({1.5F, 2, 3, 4});
  EXPECT_EQ(session.run(sum, {{x, fed}}).item<float>(), 10.5F);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].text, "x: [1.5 2 3...][word][3 4 6...]");
  EXPECT_EQ(records[0].node, "say");
  EXPECT_EQ(records[0].level, LogLevel::Info);
  Session silent(graph);
  EXPECT_EQ(silent.run(sum, {{x, fed}}).item<float>(), 10.5F);
  EXPECT_EQ(records.size(), 1U);
}

// As TensorFlow's, in all plans of the session together, and again in the next session.
TEST_F(PrintOp, SaysItTheFirstTimesOnly) {
  const Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}});
  const Output shown = make(graph, "Print", {x, x}, {{"first_n", int64_t{3}}, {"summarize", int64_t{-1}}});
  const Output other = make("Neg", {shown});
  for (int round = 1; round <= 2; ++round) {
    Session session(graph, listening());
    for (int i = 0; i < 2; ++i) {
      session.run(shown, {{x, Tensor(1.0F)}});
      session.run(other, {{x, Tensor::vector<float>({1, 2, 3, 4})}});
    }
    EXPECT_EQ(records.size(), 3U * static_cast<size_t>(round));
  }
  EXPECT_EQ(records[1].text, "[1 2 3 4]");
}

TEST_F(PrintOp, LetsGradientsThrough) {
  const Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", Shape{}}});
  const Output y = make("Square", {make(graph, "Print", {x, x})});
  Session session(graph, listening());
  EXPECT_EQ(session.run(gradients({y}, {x})[0], {{x, Tensor(3.0F)}}).item<float>(), 6);
}

TEST_F(PrintOp, TheSecondVersionTakesAText) {
  const auto says = [&](const char* stream, const char* end) {
    return NodeBuilder(graph, "PrintV2")
        .input(Tensor("text"))
        .attr("output_stream", std::string(stream))
        .attr("end", std::string(end))
        .name("say")
        .build();
  };
  Session session(graph, listening());
  session.run({says("stderr", "\n"), says("log(warning)", "\n"), says("log(error)", "|")});
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].text, "text");
  EXPECT_EQ(records[0].node, "say");
  EXPECT_EQ(records[1].level, LogLevel::Warning);
  EXPECT_EQ(records[1].node, "say_1");
  EXPECT_EQ(records[2].level, LogLevel::Error);
  EXPECT_EQ(records[2].text, "text|");
  session.run(NodeBuilder(graph, "PrintV2").input(Tensor("by default")).build());
  EXPECT_EQ(records[3].text, "by default");
  try {
    session.run(says("foo", "\n"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "[PrintV2 say_3] Unknown output stream: foo, Valid streams are: stdout stderr log(info) log(warning) "
                 "log(error)");
  }
  EXPECT_THROW(NodeBuilder(graph, "PrintV2").input(Tensor::of<std::string>({1}, {"a"})).build(), Error);
}

}  // namespace
}  // namespace vf
