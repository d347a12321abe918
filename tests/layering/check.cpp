#include "layering/check.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

namespace layering {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPublic = "include/varflow/";
constexpr std::array kFolders = {"include", "src", "tools", "examples", "bench", "tests", "fuzz"};

struct Include {
  int line = 0;
  bool quoted = false;
  std::string path;
};

// "#include <a/b.h>  // why" -> a/b.h; nothing for any other line.
std::optional<Include> parse_include(std::string_view line, int number) {
  const auto skip_spaces = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_spaces();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_spaces();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_spaces();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{number, quoted, std::string(line.substr(1, end - 1))};
}

const Room* find_room(const Rules& rules, std::string_view name) {
  const auto it = std::find_if(rules.rooms.begin(), rules.rooms.end(), [&](const Room& r) { return r.name == name; });
  return it == rules.rooms.end() ? nullptr : &*it;
}

// Room of a header below include/varflow/; nothing where the table has no line for it.
std::optional<std::string> public_room(const Rules& rules, std::string_view header) {
  for (const auto& [name, room] : rules.public_headers)
    if (name.ends_with('/') ? header.starts_with(name) : header == name) return room;
  return std::nullopt;
}

bool may_include(const Room& room, std::string_view other) {
  return room.name == other ||
         std::find(room.may_include.begin(), room.may_include.end(), other) != room.may_include.end();
}

std::string first_folder(std::string_view path) {
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string allowed(const Room& room) {
  std::string text;
  for (const auto& name : room.may_include) text += (text.empty() ? "" : ", ") + name;
  return room.name + " may include " + (text.empty() ? "no other room" : text);
}

// One file under examination: where it is, and what was found so far.
class Checker {
 public:
  Checker(const Rules& rules, const std::string& path) : rules_(rules), path_(path) {
    is_public_ = path.starts_with(kPublic);
    is_source_ = path.starts_with("src/");
    if (is_public_) {
      const auto home = public_room(rules, path.substr(kPublic.size()));
      if (!home) {
        add(1, "belongs to no room: add it to public_headers in tests/layering/rules.h");
      } else {
        room_ = find_room(rules, *home);
      }
    } else if (is_source_) {
      const std::string name = first_folder(path.substr(4));
      room_ = find_room(rules, name);
      if (!room_) add(1, "unknown room '" + name + "': the rooms of src/ are in tests/layering/rules.h");
    } else if (path.starts_with("include/")) {
      add(1, "public headers live in " + std::string(kPublic));
    }
  }

  void include(const Include& include) {
    const std::string& other = include.path;
    const bool is_header = path_.ends_with(".h");
    if (is_header && starts_with_any(other, rules_.heavy))
      add(include.line, "'" + other + "' is heavy: include it in .cpp files alone");
    if (other.starts_with("varflow/")) {
      include_public(include);
    } else if (find_room(rules_, first_folder(other))) {
      include_internal(include);
    } else if (include.quoted && (is_public_ || is_source_)) {
      add(include.line, "'" + other + "' is neither varflow/NAME.h nor ROOM/NAME.h: <> for other libraries, whole " +
                            "paths for ours");
    }
  }

  void add(int line, const std::string& what) { found.push_back(path_ + ":" + std::to_string(line) + ": " + what); }

  std::vector<std::string> found;

 private:
  static bool starts_with_any(const std::string& text, const std::vector<std::string>& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return text.starts_with(b); });
  }

  void include_public(const Include& include) {
    if (!room_) return;
    const auto home = public_room(rules_, include.path.substr(std::string_view("varflow/").size()));
    if (!home) {
      add(include.line, "'" + include.path + "' belongs to no room: see public_headers in tests/layering/rules.h");
    } else if (!may_include(*room_, *home)) {
      add(include.line, "'" + include.path + "' is of " + (home->empty() ? "no room" : *home) + "; " + allowed(*room_));
    }
  }

  void include_internal(const Include& include) {
    const std::string other = first_folder(include.path);
    if (is_public_) {
      add(include.line, "'" + include.path + "' is internal: public headers include public headers alone");
    } else if (path_.starts_with("tools/") || path_.starts_with("examples/")) {
      add(include.line,
          "'" + include.path + "' is internal: " + first_folder(path_) + "/ includes public headers alone");
    } else if (is_source_ && room_ && !may_include(*room_, other)) {
      add(include.line, "'" + include.path + "': " + allowed(*room_));
    }
  }

  const Rules& rules_;
  const std::string& path_;
  const Room* room_ = nullptr;
  bool is_public_ = false;
  bool is_source_ = false;
};

}  // namespace

std::vector<std::string> check_file(const Rules& rules, const std::string& path, std::string_view text) {
  Checker checker(rules, path);
  bool once = false;
  int lines = 0;
  for (size_t begin = 0; begin < text.size(); ++lines) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    once |= line.starts_with("#pragma once");
    if (const auto include = parse_include(line, lines + 1)) checker.include(*include);
    begin = end + 1;
  }
  if (path.ends_with(".h") && !once) checker.add(1, "no #pragma once");
  if (lines > rules.most_lines)
    checker.add(lines, std::to_string(lines) + " lines, more than " + std::to_string(rules.most_lines));
  return checker.found;
}

std::vector<std::string> check_tree(const Rules& rules, const fs::path& root) {
  std::vector<fs::path> files;
  for (const char* folder : kFolders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file() && (entry.path().extension() == ".h" || entry.path().extension() == ".cpp"))
        files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> found;
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    const auto wrong = check_file(rules, file.lexically_relative(root).generic_string(), text.str());
    found.insert(found.end(), wrong.begin(), wrong.end());
  }
  return found;
}

}  // namespace layering
