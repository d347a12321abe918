#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "varflow/export.h"
#include "varflow/tensor.h"

namespace vf {

namespace io {
class EventFile;
}

struct EventWriterOptions {
  std::string suffix = "";    // appended to the file's name
  double flush_seconds = 30;  // an event that comes later than this after the last flush flushes; 0: each does
};

// Writes one event file, which TensorBoard shows as a run named after its folder. All methods may be called from
// several threads; events stand in the order of the calls. Events are gathered in memory until 64 KB are there,
// flush_seconds have passed, or flush().
// Errors: those of the file system, with the path. After a failed write the file may end in half a record, and every
// later call is refused with FailedPrecondition.
class VF_API EventWriter {
 public:
  // Creates FOLDER, with its parents, and FOLDER/events.out.tfevents.SECONDS.HOSTNAME + suffix with its version record.
  // A file of that name stays what it is: the new one gets ".1", ".2", ... behind its name.
  explicit EventWriter(const std::string& folder, const EventWriterOptions& options = {});
  ~EventWriter();  // flushes; errors are lost: call close() to see them
  EventWriter(EventWriter&&) noexcept;
  EventWriter& operator=(EventWriter&&) noexcept;

  const std::string& path() const;

  // Tags group by what stands before the last "/": "conv1/kernel". Any float, NaN and infinities too.
  void scalar(std::string_view tag, float value, int64_t step);
  // Of all elements of a tensor of numbers, in TensorFlow's exponential buckets. InvalidArgument "Nan in summary
  // histogram for: TAG" or "Infinity in Histogram for: TAG" where one is not finite.
  void histogram(std::string_view tag, const Tensor& values, int64_t step);
  // `png` holds a PNG file of that height and width (pixels), else InvalidArgument.
  void image(std::string_view tag, std::string_view png, int32_t height, int32_t width, int64_t step);

  void flush();  // to the operating system, so that TensorBoard sees it
  void close();  // flush and close; idempotent; nothing can be written afterwards

 private:
  std::unique_ptr<io::EventFile> file_;
};

}  // namespace vf
