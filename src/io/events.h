#pragma once
// What stands behind EventWriter (varflow/events.h), with the outside world handed in.
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/env.h"
#include "io/tfrecord.h"
#include "varflow/events.h"

namespace vf::io {

// The contracts are EventWriter's.
class EventFile {
 public:
  struct World {
    Env& env;
    std::function<double()> seconds;  // since 1970; called under the lock
    std::string hostname;
    static World system();
  };
  EventFile(World world, const std::string& folder, const EventWriterOptions& options);

  const std::string& path() const { return records_->path(); }
  void scalar(std::string_view tag, float value, int64_t step);
  void histogram(std::string_view tag, const Tensor& values, int64_t step);
  void image(std::string_view tag, std::string_view png, int32_t height, int32_t width, int64_t step);
  void flush();
  void close();

 private:
  template <class MakeEvent>
  void add(MakeEvent&& make_event);

  World world_;
  const double flush_seconds_;
  std::mutex mutex_;
  std::unique_ptr<RecordWriter> records_;
  double last_flush_ = 0;
};

}  // namespace vf::io
