#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "varflow/export.h"
#include "varflow/kernel.h"

namespace vf {

enum class LogLevel { Info, Warning, Error };
struct LogRecord {
  LogLevel level;
  std::string text;
  std::string node;  // empty where none is concerned
};
// Called on the thread that has something to say: of several runs at once, by several.
using LogSink = std::function<void(const LogRecord&)>;

// A session's way out for messages, among its resources, so that kernels find it when they are made.
class VF_API Log : public Resource {
 public:
  explicit Log(LogSink sink = {}) : sink_(std::move(sink)) {}
  // The session's; a silent one where it has none.
  static std::shared_ptr<Log> of(Resources& resources, const LogSink& sink = {}) {
    return resources.get<Log>("", "log", "Log", [&] { return std::make_shared<Log>(sink); });
  }
  // Where nobody listens, texts need not be made.
  bool listens() const { return static_cast<bool>(sink_); }
  void write(const LogRecord& record) const {
    if (sink_) sink_(record);
  }

 private:
  const LogSink sink_;
};

}  // namespace vf
