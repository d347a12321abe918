// Ops that say something when they run: in the session's log, nowhere else.
#include <atomic>

#include "graph/shape_rules.h"
#include "ops/elements.h"
#include "ops/logging/summary.h"
#include "ops/register.h"
#include "varflow/log.h"

namespace vf {
namespace {

// How often a Print of a session ran: all its plans count together.
struct PrintCount : Resource {
  std::atomic<int64_t> runs{0};
};

std::unique_ptr<Kernel> print(KernelMake& m) {
  struct Value {
    int input;
    DType dtype;
    Shape shape;
  };
  std::vector<Value> values;
  const auto [first, number] = m.node().input_range("data");
  for (int i = first; i < first + number; ++i) values.push_back({i, m.input_dtype(i), m.input_shape(i)});
  m.allow_in_place(0);
  const auto count =
      m.resources()->get<PrintCount>("", m.node().full_name(), "Print", [] { return std::make_shared<PrintCount>(); });
  return kernel([values, count, log = Log::of(*m.resources()), message = m.attr<std::string>("message"),
                 first_n = m.attr<int64_t>("first_n"), summarize = m.attr<int64_t>("summarize"),
                 name = m.node().full_name(), dtype = m.input_dtype(0),
                 n = m.input_shape(0).num_elements()](KernelRun& r) {
    if (r.output_raw() != r.input_raw(0)) copy_elements(dtype, r.input_raw(0), r.output_raw(), n);
    if (!log->listens() || (first_n >= 0 && count->runs++ >= first_n)) return;
    std::string text = message;
    for (const Value& v : values) text += "[" + summary(v.dtype, v.shape, r.input_raw(v.input), summarize) + "]";
    log->write({LogLevel::Info, text, name});
  });
}

LogLevel level(const KernelMake& m) {
  const std::string& stream = m.attr<std::string>("output_stream");
  if (stream == "stdout" || stream == "stderr" || stream == "log(info)") return LogLevel::Info;
  if (stream == "log(warning)") return LogLevel::Warning;
  if (stream == "log(error)") return LogLevel::Error;
  if (stream.starts_with("file://"))
    throw Error(Code::Unimplemented, m.node().type(), m.node().name(), "prints to no file, but to the session's log");
  m.fail("Unknown output stream: " + stream + ", Valid streams are: stdout stderr log(info) log(warning) log(error)");
}

}  // namespace

void register_logging_ops(OpRegistry& r) {
  r.op("Print")
      .in("input: T")
      .in("data: U")
      .out("output: T")
      .attr("T: type")
      .attr("U: list(type) >= 0")
      .attr("message: string = ''")
      .attr("first_n: int = -1")
      .attr("summarize: int = 3")
      .stateful()
      .doc(
          "The input; says in the session's log what `data` is: the first `summarize` elements of each, the first "
          "`first_n` times.")
      .shape([](ShapeContext& c) { c.set_output(0, c.input(0)); })
      .cpu(print)
      .grad([](GradientContext& g) { g.set(0, g.gradient()); });

  r.op("PrintV2")
      .in("input: string")
      .attr("output_stream: string = 'stderr'")
      .attr("end: string = '\\n'")
      .stateful()
      .doc(
          "Says a text in the session's log. A line of the log has its end already, so that `end` is added only where "
          "it is another.")
      .shape([](ShapeContext& c) {
        if (c.input(0).has_rank() && c.input(0).rank() > 0)
          c.fail("input must be a scalar, but has rank: " + std::to_string(c.input(0).rank()));
      })
      .cpu([](KernelMake& m) {
        const std::string& end = m.attr<std::string>("end");
        return kernel([log = Log::of(*m.resources()), level = level(m), name = m.node().full_name(),
                       end = end == "\n" ? "" : end](KernelRun& run) {
          if (log->listens()) log->write({level, *run.input<std::string>(0) + end, name});
        });
      })
      .no_grad();
}

}  // namespace vf
