#include "progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace vf::tools {
namespace {

ProgressState state() {
  return {.epoch = 3,
          .epochs = 21,
          .done = 3600,
          .total = 9000,
          .loss = 0.08123,
          .accuracy = 0.97534,
          .samples_per_second = 5321.4,
          .seconds_left = 64.6};
}

// Columns of UTF-8 text: bytes that do not continue a character.
size_t columns(const std::string& text) {
  size_t n = 0;
  for (const char c : text) n += (c & 0xC0) != 0x80;
  return n;
}

TEST(ProgressLine, FillsTheWidth) {
  const std::string line = "epoch  3/21 [========>            ]  40%  loss 0.0812  acc 97.53%    5321/s  ETA 1:05";
  EXPECT_EQ(render(state(), static_cast<int>(line.size())), line);
  EXPECT_EQ(render(state(), 300),  // a bar of 40 columns is long enough
            "epoch  3/21 [================>                       ]  40%  loss 0.0812  acc 97.53%    5321/s  ETA 1:05");
}

TEST(ProgressLine, DropsPartsAsItShrinks) {
  EXPECT_EQ(render(state(), 72), "epoch  3/21 [===>    ]  40%  loss 0.0812  acc 97.53%    5321/s  ETA 1:05");
  EXPECT_EQ(render(state(), 70), "epoch  3/21 [======>         ]  40%  loss 0.0812  acc 97.53%  ETA 1:05");
  EXPECT_EQ(render(state(), 60), "epoch  3/21 [======>         ]  40%  loss 0.0812  acc 97.53%");
  EXPECT_EQ(render(state(), 51), "epoch  3/21  loss 0.0812  acc 97.53%");
  EXPECT_EQ(render(state(), 30), "epoch  3/21  loss 0.0812");
  EXPECT_EQ(render(state(), 20), "epoch  3/21");
  EXPECT_EQ(render(state(), 7), "epoch  ");
  EXPECT_EQ(render(state(), 0), "");
}

TEST(ProgressLine, NeverIsWiderThanTheTerminal) {
  ProgressState s = state();
  for (const double value : {0.0, 0.5, 999.0, 1e9, -1e300, std::numeric_limits<double>::infinity()}) {
    s.loss = s.seconds_left = s.samples_per_second = value;
    for (const int64_t done : {-1, 0, 1, 8999, 9000, 10000}) {
      s.done = done;
      for (int width = 0; width < 150; ++width) {
        EXPECT_LE(columns(render(s, width)), static_cast<size_t>(width));
        EXPECT_LE(columns(render(s, width, Glyphs::Unicode)), static_cast<size_t>(width));
      }
    }
  }
}

TEST(ProgressLine, StandsStillWhileNumbersChange) {
  ProgressState s = state();
  const size_t width = render(s, 90).size();
  s = {9, 21, 9000, 9000, 9.5, 1, 12, 3};
  EXPECT_EQ(render(s, 90).size(), width);
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(render({.epoch = 1, .epochs = 5}, 80), "epoch 1/5");
  EXPECT_EQ(render({.epoch = 1, .epochs = 5, .done = 0, .total = 10, .loss = 2}, 40),
            "epoch 1/5 [>         ]   0%  loss 2.0000");
}

TEST(ProgressLine, DrawsEighthsOfAColumn) {
  // 10 columns at 40 % are 4 full ones; at 45 % 4 and a half (U+258C); at 100 % all.
  ProgressState s = {.epoch = 1, .epochs = 5, .done = 40, .total = 100};
  EXPECT_EQ(render(s, 27, Glyphs::Unicode), "epoch 1/5 [████      ]  40%");
  s.done = 45;
  EXPECT_EQ(render(s, 27, Glyphs::Unicode), "epoch 1/5 [████▌     ]  45%");
  s.done = 100;
  EXPECT_EQ(render(s, 27, Glyphs::Unicode), "epoch 1/5 [██████████] 100%");
  EXPECT_EQ(render(s, 27), "epoch 1/5 [==========] 100%");
}

TEST(ProgressLine, WritesDurations) {
  const auto eta = [](double seconds) { return render({.seconds_left = seconds}, 80).substr(15); };
  EXPECT_EQ(eta(0), "0:00");
  EXPECT_EQ(eta(59.7), "1:00");
  EXPECT_EQ(eta(3599), "59:59");
  EXPECT_EQ(eta(3661), "1:01:01");
}

// What a Progress writes into a pseudo-terminal of 60 columns.
class Terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0) GTEST_SKIP() << "this system gives no pseudo-terminal";
    ASSERT_EQ(::grantpt(master_), 0);
    ASSERT_EQ(::unlockpt(master_), 0);
    slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    ASSERT_GE(slave_, 0);
    const winsize size{24, 60, 0, 0};
    ASSERT_EQ(::ioctl(slave_, TIOCSWINSZ, &size), 0);
    ::setenv("TERM", "xterm", 1);
    ::setenv("LC_ALL", "C", 1);
  }
  void TearDown() override {
    if (slave_ >= 0) ::close(slave_);
    if (master_ >= 0) ::close(master_);
  }
  // The next `n` bytes; fewer where they do not come.
  std::string written(size_t n) const {
    std::string text;
    pollfd ready{master_, POLLIN, 0};
    constexpr int kMostMilliseconds = 10'000;  // a terminal passes bytes on in its own time
    while (text.size() < n && ::poll(&ready, 1, kMostMilliseconds) == 1) {
      char bytes[256];
      const ssize_t got = ::read(master_, bytes, std::min(sizeof bytes, n - text.size()));
      if (got <= 0) break;
      text.append(bytes, static_cast<size_t>(got));
    }
    return text;
  }
  int master_ = -1;
  int slave_ = -1;
};

TEST_F(Terminal, RedrawsOneLineAndClearsIt) {
  Progress progress(5, slave_);
  EXPECT_TRUE(progress.visible());
  progress.update(1, 0, 100, 2, std::nan(""));
  progress.clear();
  progress.clear();  // nothing is there any more: writes nothing
  progress.update(2, 100, 100, 2, std::nan(""));
  const std::string expected = "\r" + render({.epoch = 1, .epochs = 5, .done = 0, .total = 100, .loss = 2}, 59) +
                               "\x1b[K" +    // drawn
                               "\r\x1b[K" +  // cleared
                               "\repoch 2/5 [====";
  EXPECT_EQ(written(expected.size()), expected);
}

TEST_F(Terminal, IsSilentWhereNothingCanBeRedrawn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  {
    Progress progress(5, ends[1]);
    EXPECT_FALSE(progress.visible());
    progress.update(1, 100, 100, 2, 0.5);
  }
  char byte;
  EXPECT_EQ(::read(ends[0], &byte, 1), -1);
  ::close(ends[0]);
  ::close(ends[1]);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(Progress(5, slave_).visible());
}

}  // namespace
}  // namespace vf::tools
