#include "io/checkpoint_state_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

namespace vf::io {
namespace {

bool is_digit_of(char c, int base) {
  return base == 8 ? c >= '0' && c <= '7' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

// What the text holds from the front; nothing is taken where the answer is no.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { skip_blanks(); }

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (done() || rest_.front() != c) return false;
    advance(1);
    return true;
  }
  std::string_view take_word() {
    return take_run([](char c) { return std::isalnum(to_int(c)) || c == '_'; });
  }
  bool take_number() {
    const auto text = take_run([](char c) { return std::isalnum(to_int(c)) || c == '.' || c == '-' || c == '+'; });
    const std::string_view digits = text.substr(0, text.size() - (text.ends_with('f') && text.size() > 1 ? 1 : 0));
    double value;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  }
  // One or more quoted strings, joined.
  std::optional<std::string> take_strings() {
    std::string value;
    bool any = false;
    while (!done() && (rest_.front() == '"' || rest_.front() == '\'')) {
      if (!take_string(&value)) return std::nullopt;
      any = true;
    }
    return any ? std::optional(value) : std::nullopt;
  }

 private:
  static int to_int(char c) { return static_cast<unsigned char>(c); }

  template <class F>
  std::string_view take_run(F&& belongs) {
    const size_t n = static_cast<size_t>(std::find_if_not(rest_.begin(), rest_.end(), belongs) - rest_.begin());
    const auto run = rest_.substr(0, n);
    advance(n);
    return run;
  }
  void advance(size_t n) {
    rest_.remove_prefix(n);
    skip_blanks();
  }
  void skip_blanks() {
    while (!rest_.empty()) {
      if (rest_.front() == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (std::isspace(to_int(rest_.front()))) {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }
  bool take_string(std::string* value) {
    const char quote = rest_.front();
    size_t i = 1;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      if (rest_[i] == '\n') return false;
      if (rest_[i] != '\\') {
        *value += rest_[i];
      } else if (!take_escape(&i, value)) {
        return false;
      }
    }
    if (i >= rest_.size()) return false;
    advance(i + 1);
    return true;
  }
  // rest_[*i] is the backslash; afterwards the last character of the escape.
  bool take_escape(size_t* i, std::string* value) {
    if (++*i >= rest_.size()) return false;
    const char c = rest_[*i];
    static constexpr std::string_view kNames = "abfnrtv\\'\"?";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"?";
    if (const size_t at = kNames.find(c); at != std::string_view::npos) {
      *value += kValues[at];
      return true;
    }
    const int base = c == 'x' || c == 'X' ? 16 : 8;
    const size_t begin = *i + (base == 16 ? 1 : 0);
    size_t end = begin;
    while (end < rest_.size() && end < begin + (base == 16 ? 2 : 3) && is_digit_of(rest_[end], base)) ++end;
    if (end == begin) return false;
    int byte = 0;
    std::from_chars(rest_.data() + begin, rest_.data() + end, byte, base);
    *value += static_cast<char>(byte);
    *i = end - 1;
    return true;
  }

  std::string_view rest_;
};

// One value, or a list of them in brackets; `item` takes one and says whether it could.
template <class F>
bool take_values(Scanner* scanner, bool list_allowed, F&& item) {
  if (!list_allowed || !scanner->take('[')) return item();
  if (scanner->take(']')) return true;
  do {
    if (!item()) return false;
  } while (scanner->take(','));
  return scanner->take(']');
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '\'') {
      (result += '\\') += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      (result += '\\') += c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
    } else if (byte < 0x20 || byte == 0x7f) {
      char octal[5];
      std::snprintf(octal, sizeof octal, "\\%03o", byte);
      result += octal;
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace

std::optional<CheckpointState> parse_checkpoint_state(std::string_view text) {
  CheckpointState state;
  bool has_newest = false;
  Scanner scanner(text);
  const auto take_path = [&](auto&& put) {
    auto path = scanner.take_strings();
    if (path) put(std::move(*path));
    return path.has_value();
  };
  while (!scanner.done()) {
    const auto field = scanner.take_word();
    if (!scanner.take(':')) return std::nullopt;
    bool good = false;
    if (field == "model_checkpoint_path") {
      good = !has_newest && take_path([&](std::string path) { state.newest = std::move(path); });
      has_newest = true;
    } else if (field == "all_model_checkpoint_paths") {
      good = take_values(&scanner, true,
                         [&] { return take_path([&](std::string path) { state.all.push_back(std::move(path)); }); });
    } else if (field == "all_model_checkpoint_timestamps" || field == "last_preserved_timestamp") {
      good = take_values(&scanner, field.starts_with("all"), [&] { return scanner.take_number(); });
    }
    if (!good) return std::nullopt;
    if (!scanner.take(',')) scanner.take(';');
  }
  return state;
}

std::string format_checkpoint_state(const CheckpointState& state) {
  std::string text = "model_checkpoint_path: " + quoted(state.newest) + "\n";
  for (const std::string& path : state.all) text += "all_model_checkpoint_paths: " + quoted(path) + "\n";
  return text;
}

}  // namespace vf::io
