// What lives in a session beside variables, saved and restored.
#include <gtest/gtest.h>

#include "varflow/op.h"
#include "varflow/session.h"

namespace vf {
namespace {

// A counter that a user's kernel keeps.
class Counter : public Resource {
 public:
  std::optional<std::string> save() const override { return std::string(static_cast<size_t>(value), 'x'); }
  void restore(const std::string& bytes) override {
    if (bytes.find_first_not_of('x') != std::string::npos) throw Error(Code::DataLoss, "no counter");
    value = static_cast<int>(bytes.size());
  }
  int value = 0;
};

const OpRegistry& registry() {
  static const OpRegistry r = [] {
    OpRegistry own = OpRegistry::with_standard_ops();
    own.op("VfTestCount")
        .out("count: int32")
        .stateful()
        .shape([](ShapeContext& c) { c.set_output(0, Shape{}); })
        .cpu([](KernelMake& m) {
          auto counter =
              m.resources()->get<Counter>("", m.node().name(), "Counter", [] { return std::make_shared<Counter>(); });
          return kernel([counter](KernelRun& run) { *run.output<int32_t>() = ++counter->value; });
        })
        .no_grad();
    return own;
  }();
  return r;
}

Tensor bits(Session& s, const Output& o) { return s.run(o); }

TEST(ResourceStore, RandomStreamsGoOn) {
  Graph g(registry());
  const AttrMap attrs = {{"dtype", DType::Float}, {"seed", 7}, {"seed2", 8}};
  const Output x = make(g, "RandomStandardNormal", {Tensor::vector<int32_t>({5})}, attrs);
  const Output unseeded = make(g, "RandomUniform", {Tensor::vector<int32_t>({5})}, {{"dtype", DType::Float}});
  Session straight(g);
  bits(straight, x);
  bits(straight, unseeded);
  const std::vector<ResourceState> saved = straight.save_resources();
  EXPECT_EQ(saved.size(), 2U);
  const std::string next = bits(straight, x).str() + bits(straight, unseeded).str();

  Session resumed(g);
  resumed.restore_resources(saved);  // before any plan has made a stream
  EXPECT_EQ(resumed.save_resources(), saved) << "what waits is kept";
  EXPECT_EQ(bits(resumed, x).str() + bits(resumed, unseeded).str(), next);
  resumed.restore_resources(saved);  // and after
  EXPECT_EQ(bits(resumed, x).str() + bits(resumed, unseeded).str(), next);
  Session fresh(g);
  EXPECT_NE(bits(fresh, x).str() + bits(fresh, unseeded).str(), next);
}

TEST(ResourceStore, KeepsWhatUserKernelsKeep) {
  Graph g(registry());
  const Output count = make(g, "VfTestCount", {});
  Session a(g);
  a.run(count);
  a.run(count);
  const auto saved = a.save_resources();
  ASSERT_EQ(saved.size(), 1U);
  EXPECT_EQ(saved[0], (ResourceState{"", "VfTestCount", "Counter", "xx"}));
  Session b(g);
  b.restore_resources(saved);
  EXPECT_EQ(b.run(count).item<int32_t>(), 3);
}

TEST(ResourceStore, RestoresAllOrNothing) {
  Graph g(registry());
  const Output first = make(g, "VfTestCount", {}, {}, "a");
  const Output second = make(g, "VfTestCount", {}, {}, "b");
  Session s(g);
  s.run({first, second});
  EXPECT_THROW(s.restore_resources({{"", "a", "Counter", "xxxx"}, {"", "b", "Counter", "bad"}}), Error);
  EXPECT_EQ(s.run(first).item<int32_t>(), 2);
}

}  // namespace
}  // namespace vf
