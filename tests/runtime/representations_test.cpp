// A variable's value in other layouts: when it is copied, what is kept, and that it is what C order says.
#include "runtime/representations.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "runtime/session_state.h"
#include "varflow/op.h"
#include "varflow/session.h"

namespace vf {
namespace {

using runtime::Representation;
using runtime::Representations;

// The elements backwards.
class Backwards : public MemoryLayout {
 public:
  explicit Backwards(int64_t n, std::string key = "backwards") : n_(n), key_(std::move(key)) {}
  size_t bytes() const override { return static_cast<size_t>(n_) * sizeof(float); }
  const std::string& key() const override { return key_; }
  void from_logical(const void* logical, void* packed) const override {
    for (int64_t i = 0; i < n_; ++i) static_cast<float*>(packed)[n_ - 1 - i] = static_cast<const float*>(logical)[i];
  }

 private:
  int64_t n_;
  std::string key_;
};

BufferRef buffer_of(std::initializer_list<float> values) { return Tensor::vector<float>(values).buffer(); }
const float* floats(const BufferRef& b) { return static_cast<const float*>(b->data()); }

TEST(Representations, CopiesOnceAVersion) {
  Representations all(1000);
  const auto layout = std::make_shared<Backwards>(2);
  const auto r = all.of(&all, layout);
  EXPECT_EQ(all.of(&all, std::make_shared<Backwards>(2)), r) << "one for each variable and key";
  EXPECT_NE(all.of(&all, std::make_shared<Backwards>(2, "other")), r);
  EXPECT_NE(all.of(layout.get(), layout), r);
  const BufferRef first = buffer_of({1, 2});
  EXPECT_EQ(floats(r->acquire(1, first))[0], 2);
  EXPECT_EQ(floats(r->acquire(1, first))[1], 1);
  EXPECT_EQ(all.conversions(), 1U);
  EXPECT_EQ(floats(r->acquire(2, buffer_of({3, 4})))[0], 4);
  EXPECT_EQ(all.conversions(), 2U);
  EXPECT_EQ(all.bytes(), 8U);
}

TEST(Representations, WhatIsHeldStaysAndAnOlderVersionIsNotKept) {
  Representations all(1000);
  const auto r = all.of(&all, std::make_shared<Backwards>(2));
  const BufferRef first = buffer_of({1, 2});
  const BufferRef held = r->acquire(1, first);
  const BufferRef second = r->acquire(2, buffer_of({3, 4}));
  EXPECT_EQ(floats(held)[0], 2);
  EXPECT_EQ(floats(r->acquire(1, first))[0], 2) << "a run that began before the write";
  EXPECT_EQ(r->acquire(2, {}).get(), second.get()) << "the newer one is still at hand";
}

TEST(Representations, ReusesMemoryThatNobodyHolds) {
  Representations all(1000);
  const auto r = all.of(&all, std::make_shared<Backwards>(2));
  const void* place = r->acquire(1, buffer_of({1, 2}))->data();
  EXPECT_EQ(r->acquire(2, buffer_of({3, 4}))->data(), place);
}

TEST(Representations, KeepNoMoreThanTheLimit) {
  Representations all(20);  // two of 8 bytes
  int variables[3];
  std::shared_ptr<Representation> r[3];
  for (int i = 0; i < 3; ++i) r[i] = all.of(&variables[i], std::make_shared<Backwards>(2));
  const BufferRef value = buffer_of({1, 2});
  const BufferRef held = r[0]->acquire(1, value);
  static_cast<void>(r[1]->acquire(1, value));
  static_cast<void>(r[0]->acquire(1, value));  // the other one is now the least recently used
  static_cast<void>(r[2]->acquire(1, value));
  EXPECT_EQ(all.bytes(), 16U);
  EXPECT_EQ(all.conversions(), 3U);
  static_cast<void>(r[0]->acquire(1, value));
  EXPECT_EQ(all.conversions(), 3U);
  static_cast<void>(r[1]->acquire(1, value));
  EXPECT_EQ(all.conversions(), 4U) << "it had made room";
  EXPECT_EQ(floats(held)[0], 2);
  r[1].reset();
  EXPECT_EQ(all.bytes(), 8U);
  const auto large = all.of(&all, std::make_shared<Backwards>(6));
  EXPECT_EQ(floats(large->acquire(1, buffer_of({1, 2, 3, 4, 5, 6})))[0], 6) << "more than the limit: not kept";
  EXPECT_EQ(all.bytes(), 8U);
}

TEST(Representations, AreSafeOnManyThreads) {
  Representations all(24);
  int variables[4];
  const BufferRef values[2] = {buffer_of({1, 2}), buffer_of({3, 4})};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto r = all.of(&variables[(i + t) % 4], std::make_shared<Backwards>(2));
        const uint64_t v = static_cast<uint64_t>(i) / 3 % 2;
        if (floats(r->acquire(v + 1, values[v]))[0] != (v == 0 ? 2 : 4)) ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(all.bytes(), 24U);
}

// A convolution whose kernel is a variable, in the layout that oneDNN chose.
class PackedFilter : public testing::TestWithParam<bool> {
 protected:
  static Tensor ramp(const Shape& shape, float scale) {
    Tensor t(DType::Float, shape);
    for (int64_t i = 0; i < t.num_elements(); ++i) t.data<float>()[i] = scale * static_cast<float>(i % 13 - 6);
    return t;
  }
  Output conv(const Output& input, const Output& w) {
    return make("Conv2D", {input, w}, {{"strides", std::vector<int64_t>{1, 1, 1, 1}}, {"padding", "SAME"}});
  }
  uint64_t conversions() { return SessionAccess::state(session).representations().conversions(); }
  void expect_conv(const Tensor& got, const Tensor& filter) {
    const Tensor want = session.run(from_feed, {{x, image}, {fed, filter}});
    ASSERT_EQ(got.shape(), want.shape());
    EXPECT_EQ(std::memcmp(got.raw(), want.raw(), got.bytes()), 0);
  }

  const Shape kFilter{3, 3, 16, 24};
  const Tensor image = ramp({2, 8, 8, 16}, 0.25F);
  Graph graph;
  Session session{graph, {.threads = 2}};
  Output x = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", image.shape()}});
  Output fed = make(graph, "Placeholder", {}, {{"dtype", DType::Float}, {"shape", kFilter}});
  Output from_feed = conv(x, fed);
  Output v = GetParam() ? make(graph, "VarHandleOp", {},
                               {{"dtype", DType::Float}, {"shape", kFilter}, {"shared_name", "v"}}, "v")
                        : make(graph, "VariableV2", {}, {{"dtype", DType::Float}, {"shape", kFilter}}, "v");
  Output read() { return GetParam() ? make("ReadVariableOp", {v}, {{"dtype", DType::Float}}) : make("Identity", {v}); }
  Output assign(const Output& value) {
    return GetParam() ? Output(NodeBuilder("AssignVariableOp").input(v).input(value).build())
                      : make("Assign", {v, value});
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, PackedFilter, testing::Bool(),
                         [](const auto& p) { return p.param ? "resource" : "reference"; });

TEST_P(PackedFilter, IsCopiedWhenTheVariableChanged) {
  const Output y = conv(x, read());
  Tensor filter = ramp(kFilter, 0.5F);
  session.set({{v, filter}});
  for (int i = 0; i < 3; ++i) expect_conv(session.run(y, {{x, image}}), filter);
  if (conversions() == 0) GTEST_SKIP() << "oneDNN computes with plain weights here";
  EXPECT_EQ(conversions(), 1U);
  filter = ramp(kFilter, -2);
  session.set({{v, filter}});
  for (int i = 0; i < 3; ++i) expect_conv(session.run(y, {{x, image}}), filter);
  EXPECT_EQ(conversions(), 2U);
  // Another plan shares it.
  expect_conv(session.run(make("Neg", {make("Neg", {y})}), {{x, image}}), filter);
  EXPECT_EQ(conversions(), 2U);
}

TEST_P(PackedFilter, IsTheVersionThatItsReadPinned) {
  const Output before = read();
  const Output first = conv(x, before);
  Output change;
  {
    const ControlDependencies after(graph, {before.node});
    change = assign(fed);
  }
  Output second;
  {
    const ControlDependencies after(graph, {change.node});
    second = conv(x, read());
  }
  const Tensor old_filter = ramp(kFilter, 0.5F);
  const Tensor new_filter = ramp(kFilter, 3);
  for (int round = 0; round < 2; ++round) {
    session.set({{v, old_filter}});
    const auto out = session.run({first, second, before}, {{x, image}, {fed, new_filter}});
    expect_conv(out[0], old_filter);
    expect_conv(out[1], new_filter);
    EXPECT_EQ(std::memcmp(out[2].raw(), old_filter.raw(), old_filter.bytes()), 0) << "C order for who asks for it";
  }
}

// The write may be fused with what it reads, in place; the convolution's read stays.
TEST_P(PackedFilter, IsReadBesideAWriteOfTheVariable) {
  const Output value = read();
  const Output y = conv(x, value);
  const Output decay = assign(make("Mul", {value, 0.5F}));
  Tensor filter = ramp(kFilter, 4);
  session.set({{v, filter}});
  for (int round = 0; round < 3; ++round) {
    expect_conv(session.run({Fetch(y), Fetch(decay.node)}, {{x, image}})[0], filter);
    for (int64_t i = 0; i < filter.num_elements(); ++i) filter.data<float>()[i] *= 0.5F;
    const Tensor now = session.get(v);
    EXPECT_EQ(std::memcmp(now.raw(), filter.raw(), filter.bytes()), 0);
  }
}

TEST_P(PackedFilter, IsNotUsedForWhatIsComputed) {
  const Output y = conv(x, make("Mul", {read(), 2.0F}));
  const Tensor filter = ramp(kFilter, 0.5F);
  session.set({{v, filter}});
  expect_conv(session.run(y, {{x, image}}), ramp(kFilter, 1));
  EXPECT_EQ(conversions(), 0U);
}

TEST_P(PackedFilter, ServesEightThreads) {
  const Output y = conv(x, read());
  const Tensor filter = ramp(kFilter, 0.5F);
  session.set({{v, filter}});
  const Tensor want = session.run(y, {{x, image}});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        if (t == 0) session.set({{v, filter}});  // another version, the same values
        const Tensor got = session.run(y, {{x, image}});
        if (std::memcmp(got.raw(), want.raw(), want.bytes()) != 0) ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace vf
