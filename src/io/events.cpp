#include "io/events.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>

#include "io/png.h"
#include "io/proto/event.h"

namespace vf::io {
namespace {

std::unique_ptr<WritableFile> create_new(Env& env, const std::string& path) {
  constexpr int kMostTries = 1000;
  for (int i = 0;; ++i) {
    try {
      return env.create(i == 0 ? path : fmt::format("{}.{}", path, i), Env::Write::Exclusive);
    } catch (const Error& e) {
      if (e.code() != Code::AlreadyExists || i == kMostTries) throw;
    }
  }
}

}  // namespace

EventFile::World EventFile::World::system() {
  char name[256] = "localhost";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') std::snprintf(name, sizeof name, "localhost");
  const auto seconds = [] {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  return {Env::system(), seconds, name};
}

EventFile::EventFile(World world, const std::string& folder, const EventWriterOptions& options)
    : world_(std::move(world)), flush_seconds_(options.flush_seconds) {
  world_.env.create_folders(folder);
  const double now = world_.seconds();
  const std::string name =
      fmt::format("events.out.tfevents.{:010}.{}{}", static_cast<int64_t>(now), world_.hostname, options.suffix);
  records_ = std::make_unique<RecordWriter>(create_new(world_.env, join_path(folder, name)));
  records_->write(proto::version_event(now));
  records_->flush();
  last_flush_ = now;
}

template <class MakeEvent>
void EventFile::add(MakeEvent&& make_event) {
  const std::lock_guard lock(mutex_);
  const double now = world_.seconds();
  records_->write(make_event(now));
  if (std::abs(now - last_flush_) < flush_seconds_) return;  // a clock that is set back flushes too
  records_->flush();
  last_flush_ = now;
}

void EventFile::scalar(std::string_view tag, float value, int64_t step) {
  add([&](double now) { return proto::scalar_event({now, step}, tag, value); });
}

void EventFile::histogram(std::string_view tag, const Tensor& values, int64_t step) {
  const Histogram made = make_histogram(values, tag);  // the slow part, outside the lock
  add([&](double now) { return proto::histogram_event({now, step}, tag, made); });
}

void EventFile::image(std::string_view tag, std::string_view png, int32_t height, int32_t width, int64_t step) {
  const auto header = read_png_header(png);
  if (!header || header->height != height || header->width != width) {
    throw Error(Code::InvalidArgument, fmt::format("image {}: not a PNG file of {} x {} pixels", tag, height, width));
  }
  add([&](double now) { return proto::image_event({now, step}, tag, {height, width, header->channels, png}); });
}

void EventFile::flush() {
  const std::lock_guard lock(mutex_);
  records_->flush();
  last_flush_ = world_.seconds();
}

void EventFile::close() {
  const std::lock_guard lock(mutex_);
  records_->close();
}

}  // namespace vf::io

namespace vf {

EventWriter::EventWriter(const std::string& folder, const EventWriterOptions& options)
    : file_(std::make_unique<io::EventFile>(io::EventFile::World::system(), folder, options)) {}
EventWriter::~EventWriter() = default;
EventWriter::EventWriter(EventWriter&&) noexcept = default;
EventWriter& EventWriter::operator=(EventWriter&&) noexcept = default;

const std::string& EventWriter::path() const { return file_->path(); }
void EventWriter::scalar(std::string_view tag, float value, int64_t step) { file_->scalar(tag, value, step); }
void EventWriter::histogram(std::string_view tag, const Tensor& values, int64_t step) {
  file_->histogram(tag, values, step);
}
void EventWriter::image(std::string_view tag, std::string_view png, int32_t height, int32_t width, int64_t step) {
  file_->image(tag, png, height, width, step);
}
void EventWriter::flush() { file_->flush(); }
void EventWriter::close() { file_->close(); }

}  // namespace vf
