#include "io/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <cmath>
#include <limits>
#include <thread>

#include "base/fault_env.h"
#include "base/temp_folder.h"
#include "golden_events.h"
#include "io/png.h"

namespace vf::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Events : public ::testing::Test {
 protected:
  vf::testing::TempFolder folder_;
  vf::testing::FaultEnv env_;
  double now_ = 1'700'000'000.25;

  std::unique_ptr<EventFile> make(EventWriterOptions options = {}) {
    return std::make_unique<EventFile>(EventFile::World{env_, [this] { return now_; }, "host"}, folder_ / "run",
                                       options);
  }
};

TEST_F(Events, StartsWithNameAndVersion) {
  const auto file = make({.suffix = ".test"});
  EXPECT_EQ(file->path(), folder_ / "run/events.out.tfevents.1700000000.host.test");
  const auto records = vf::testing::read_records(file->path());  // it is there before any flush
  // wall_time 1700000000.25 (field 1, double), file_version (field 3).
  EXPECT_THAT(records, ElementsAre(std::string("\x09\0\0\x10\x40\xfc\x54\xd9\x41\x1a\x0d"
                                               "brain.Event:2",
                                               24)));
}

TEST_F(Events, LeavesAnotherWritersFileAlone) {
  const auto first = make();
  first->scalar("loss", 1, 1);
  first->flush();
  const auto second = make();
  EXPECT_EQ(second->path(), first->path() + ".1");
  EXPECT_EQ(vf::testing::read_records(first->path()).size(), 2u);
}

// The same scalars and image as make_events.py gave to TensorFlow's FileWriter: the same bytes.
TEST_F(Events, WritesTensorFlowsBytes) {
  const auto golden = vf::testing::read_records(vf::testing::golden_path("writer.tfevents"));
  ASSERT_EQ(golden.size(), 5u);
  const auto file = make();
  const auto scalar = [&](size_t i, float value, int64_t step) {
    now_ = vf::testing::wall_time(golden[i]);
    file->scalar("loss", value, step);
  };
  scalar(0, 0.75F, 1);
  scalar(1, 0, 0);
  scalar(2, std::nanf(""), 3'000'000'000);
  scalar(3, -1.5F, -1);
  const std::string image = vf::testing::value_field(golden[4], 4);
  protozero::pbf_reader reader(image);
  ASSERT_TRUE(reader.next(4));
  now_ = vf::testing::wall_time(golden[4]);
  file->image("conv1/kernel", reader.get_string(), 2, 3, 7);
  file->close();
  auto ours = vf::testing::read_records(file->path());
  ours.erase(ours.begin());
  EXPECT_EQ(ours, golden);
}

TEST_F(Events, WritesTensorFlowsHistograms) {
  const auto golden = vf::testing::read_records(vf::testing::golden_path("histograms.tfevents"));
  const auto cases = vf::testing::histogram_cases();
  const auto file = make();
  for (size_t i = 0; i < cases.size(); ++i) {
    now_ = vf::testing::wall_time(golden[i]);
    file->histogram(cases[i].name, cases[i].tensor(), static_cast<int64_t>(i));
  }
  file->close();
  auto ours = vf::testing::read_records(file->path());
  ours.erase(ours.begin());
  ASSERT_EQ(ours.size(), golden.size());
  for (size_t i = 0; i < golden.size(); ++i) EXPECT_TRUE(ours[i] == golden[i]) << cases[i].name;
}

TEST_F(Events, ChecksImages) {
  const auto file = make();
  const std::string png = encode_png(Picture(4, 6, 1));
  for (const auto& [bytes, height, width] : {std::tuple{png, 6, 4}, {png, 4, 5}, {std::string("GIF89a"), 4, 6}}) {
    try {
      file->image("kernel", bytes, height, width, 0);
      ADD_FAILURE() << height << " x " << width;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::InvalidArgument);
      EXPECT_THAT(e.what(), HasSubstr("image kernel: not a PNG file of"));
    }
  }
  file->image("kernel", png, 4, 6, 0);
  file->histogram("kernel", Tensor(1.0F), 0);
  EXPECT_THROW(file->histogram("kernel", Tensor(std::nanf("")), 0), Error);
  file->close();
  EXPECT_EQ(vf::testing::read_records(file->path()).size(), 3u);  // what was refused left nothing
}

TEST_F(Events, FlushesBySizeTimeAndOnRequest) {
  const auto file = make({.flush_seconds = 10});
  const auto count = [&] { return vf::testing::read_records(file->path()).size(); };
  file->scalar("loss", 1, 1);
  now_ += 9;
  file->scalar("loss", 1, 2);
  EXPECT_EQ(count(), 1u);
  now_ += 1;
  file->scalar("loss", 1, 3);
  EXPECT_EQ(count(), 4u);
  file->scalar("loss", 1, 4);
  EXPECT_EQ(count(), 4u);
  file->flush();
  EXPECT_EQ(count(), 5u);
  file->scalar(std::string(70'000, 't'), 1, 5);
  EXPECT_EQ(count(), 6u);
}

// A clock that ticks with each call and lets others go first: were a call not one whole, times would stand out of
// order.
TEST_F(Events, TakesCallsFromSeveralThreads) {
  constexpr int kThreads = 4, kCalls = 500;
  std::atomic<int> ticks{0};
  const auto clock = [&] {
    const int now = ++ticks;
    std::this_thread::yield();
    return static_cast<double>(now);
  };
  EventFile file({env_, clock, "host"}, folder_ / "run", {.flush_seconds = 100});
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < kCalls; ++i) file.scalar("thread" + std::to_string(t), static_cast<float>(i), i);
    });
  }
  for (auto& thread : threads) thread.join();
  file.close();
  const auto records = vf::testing::read_records(file.path());
  ASSERT_EQ(records.size(), size_t{kThreads} * kCalls + 1);
  for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(vf::testing::wall_time(records[i]), static_cast<double>(i + 1));
}

TEST_F(Events, ReportsAFullDiskAndStops) {
  const auto file = make();
  file->scalar("loss", 1, 1);
  env_.fail_at(env_.calls(), ENOSPC);
  try {
    file->flush();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::ResourceExhausted);
    EXPECT_THAT(e.what(), HasSubstr(file->path()));
  }
  EXPECT_THROW(file->scalar("loss", 1, 2), Error);
}

TEST_F(Events, PublicWriter) {
  std::string path;
  {
    EventWriter writer(folder_ / "deep/run");
    path = writer.path();
    EXPECT_THAT(file_name_of(path), ::testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]{10}\\..+"));
    EventWriter moved = std::move(writer);
    moved.scalar("loss", 0.5F, 1);
  }
  EXPECT_EQ(vf::testing::read_records(path).size(), 2u);
  EventWriter writer(folder_ / "deep/run");
  writer.close();
  writer.close();
  EXPECT_THROW(writer.scalar("loss", 1, 1), Error);
  EXPECT_THROW(EventWriter{path}, Error);  // a file is no folder
}

}  // namespace
}  // namespace vf::io
