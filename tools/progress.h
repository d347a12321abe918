#pragma once
// The line that shows where a training run stands.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

namespace vf::tools {

struct ProgressState {
  int64_t epoch = 1;  // counted from 1
  int64_t epochs = 1;
  int64_t done = 0;   // samples of this epoch
  int64_t total = 0;  // 0: unknown, then there is no bar
  double loss = std::nan("");
  double accuracy = std::nan("");  // 0 to 1; both of this epoch so far, left out where NaN
  double samples_per_second = 0;   // 0: not known yet
  double seconds_left = -1;        // of the whole run; negative: not known yet
};

enum class Glyphs { Ascii, Unicode };

// At most `width` columns, without a line break:
//   epoch  3/21 [=======>            ]  40%  loss 0.0812  acc 97.53%    5321/s  ETA 1:05
// Where that does not fit, the bar shrinks; then speed, time left, bar, accuracy and loss go, in this order. Each field
// has a width of its own, so that the line stands still while its numbers change.
std::string render(const ProgressState& state, int width, Glyphs glyphs = Glyphs::Ascii);

// Redraws one line of the terminal on a file descriptor, stderr by default, at most ten times a second. On anything
// else than a terminal, and where TERM is "dumb", it writes nothing: the caller prints a line for each epoch. One
// thread.
class Progress {
 public:
  explicit Progress(int64_t epochs, int descriptor = 2);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool visible() const { return terminal_; }
  // `epoch` counts from 1, `done` are the samples of it that were trained on; NaN for what is not known.
  void update(int64_t epoch, int64_t done, int64_t total, double loss, double accuracy);
  // Takes the line away, so that something else can be printed; the next update draws it again.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void write(const std::string& text) const;

  const int descriptor_;
  const bool terminal_;
  const Glyphs glyphs_;
  ProgressState state_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_draw_;
  Clock::time_point speed_since_ = start_;
  int64_t speed_epoch_ = 1;
  int64_t speed_done_ = 0;
  bool drawn_ = false;
};

}  // namespace vf::tools
