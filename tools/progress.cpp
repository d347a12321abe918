#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace vf::tools {
namespace {

constexpr int kLeastBar = 8, kMostBar = 40;  // columns between the brackets
constexpr std::chrono::milliseconds kBetweenDraws{100};

std::string duration(double seconds) {
  const auto s = static_cast<int64_t>(std::min(seconds, 359'999.0) + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double fraction, int columns, Glyphs glyphs) {
  std::string text;
  if (glyphs == Glyphs::Ascii) {
    const int full = static_cast<int>(fraction * columns);
    text.append(static_cast<size_t>(full), '=');
    if (full < columns) text += '>';
    text.resize(static_cast<size_t>(columns), ' ');
    return text;
  }
  // Eighths of a column: U+2588 is a full block, U+2589 to U+258F are seven eighths down to one.
  const int eighths = static_cast<int>(fraction * columns * 8);
  for (int i = 0; i < columns; ++i) {
    const int here = std::clamp(eighths - 8 * i, 0, 8);
    if (here == 0) {
      text += ' ';
    } else {
      text += "\xe2\x96";
      text += static_cast<char>(0x88 + 8 - here);
    }
  }
  return text;
}

// One part of the line, and how early it goes when the line is too long; 0: never.
struct Part {
  std::string text;
  int drop;
};

std::vector<Part> parts_of(const ProgressState& s) {
  const auto digits = static_cast<int>(std::to_string(s.epochs).size());
  std::vector<Part> parts = {{fmt::format("epoch {:>{}}/{}", s.epoch, digits, s.epochs), 0}};
  if (!std::isnan(s.loss))
    parts.push_back(
        {std::abs(s.loss) < 1000 ? fmt::format("  loss {:6.4f}", s.loss) : fmt::format("  loss {:6.0e}", s.loss), 1});
  if (!std::isnan(s.accuracy)) parts.push_back({fmt::format("  acc {:5.2f}%", 100 * s.accuracy), 2});
  if (s.samples_per_second > 0) parts.push_back({fmt::format("  {:>6.0f}/s", s.samples_per_second), 4});
  if (s.seconds_left >= 0) parts.push_back({fmt::format("  ETA {:<4}", duration(s.seconds_left)), 3});
  return parts;
}

size_t columns_of(const std::vector<Part>& parts) {
  size_t columns = 0;
  for (const auto& part : parts) columns += part.text.size();
  return columns;
}

bool unicode_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string_view text = value;
    return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos || text.find("utf-8") != text.npos;
  }
  return false;
}

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) && term && *term && std::strcmp(term, "dumb") != 0;
}

int terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string render(const ProgressState& state, int width, Glyphs glyphs) {
  const auto most = static_cast<size_t>(std::max(width, 0));
  std::vector<Part> parts = parts_of(state);
  bool with_bar = state.total > 0;
  constexpr size_t kAroundBar = 8;  // " [", "]", " 100%"
  const auto drop = [&](int level) { std::erase_if(parts, [&](const Part& p) { return p.drop == level; }); };
  const auto fits = [&] { return columns_of(parts) + (with_bar ? kAroundBar + kLeastBar : 0) <= most; };
  for (const int level : {4, 3}) {
    if (!fits()) drop(level);
  }
  if (!fits()) with_bar = false;
  for (const int level : {2, 1}) {
    if (!fits()) drop(level);
  }
  std::string line;
  for (const auto& part : parts) {
    line += part.text;
    if (!with_bar || part.drop != 0) continue;
    const double fraction = std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
    const int columns = static_cast<int>(std::min<size_t>(most - columns_of(parts) - kAroundBar, kMostBar));
    line += fmt::format(" [{}] {:>3}%", bar(fraction, columns, glyphs), static_cast<int>(100 * fraction));
  }
  return with_bar ? line : line.substr(0, most);
}

Progress::Progress(int64_t epochs, int descriptor)
    : descriptor_(descriptor),
      terminal_(is_terminal(descriptor)),
      glyphs_(unicode_locale() ? Glyphs::Unicode : Glyphs::Ascii) {
  state_.epochs = epochs;
}

void Progress::update(int64_t epoch, int64_t done, int64_t total, double loss, double accuracy) {
  if (!terminal_) return;
  const auto now = Clock::now();
  const auto seconds = [&](Clock::time_point since) { return std::chrono::duration<double>(now - since).count(); };
  const bool complete = done >= total;
  if (drawn_ && now - last_draw_ < kBetweenDraws && !complete) return;

  // Speed since the last drawing, smoothed; what ran between two epochs does not count as training.
  if (epoch != speed_epoch_ || done < speed_done_) {
    speed_epoch_ = epoch;
    speed_done_ = done;
  } else if (done > speed_done_ && seconds(speed_since_) > 0) {
    const double current = static_cast<double>(done - speed_done_) / seconds(speed_since_);
    constexpr double kNew = 0.2;
    double& speed = state_.samples_per_second;
    speed = speed == 0 ? current : (1 - kNew) * speed + kNew * current;
    speed_done_ = done;
  }
  speed_since_ = now;

  state_.epoch = epoch;
  state_.done = done;
  state_.total = total;
  state_.loss = loss;
  state_.accuracy = accuracy;
  // Time left from all the time so far: what runs between epochs will run again.
  const double part = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const double so_far = static_cast<double>(epoch - 1) + part;
  if (so_far > 0) state_.seconds_left = seconds(start_) / so_far * (static_cast<double>(state_.epochs) - so_far);
  last_draw_ = now;
  draw();
}

void Progress::draw() {
  // A line that fills the last column makes some terminals wrap.
  write("\r" + render(state_, terminal_width(descriptor_) - 1, glyphs_) + "\x1b[K");
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) write("\r\x1b[K");
  drawn_ = false;
}

void Progress::write(const std::string& text) const {
  // What a terminal does not take is only a picture less.
  const auto ignored = ::write(descriptor_, text.data(), text.size());
  static_cast<void>(ignored);
}

}  // namespace vf::tools
