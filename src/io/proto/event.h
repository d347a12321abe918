#pragma once
// TensorFlow's Event messages, as far as Varflow writes them: serialized, fields in ascending order, zeros of proto3
// left out.
#include <cstdint>
#include <string>
#include <string_view>

#include "io/histogram.h"

namespace vf::io::proto {

// What every Event has. `wall_time` in seconds since 1970.
struct EventHead {
  double wall_time = 0;
  int64_t step = 0;
};

struct Image {
  int32_t height = 0;
  int32_t width = 0;
  int32_t colorspace = 0;  // channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA
  std::string_view encoded;
};

// file_version "brain.Event:2", the first record of an event file.
std::string version_event(double wall_time);
// An Event with a Summary of one value.
std::string scalar_event(const EventHead& head, std::string_view tag, float value);
std::string histogram_event(const EventHead& head, std::string_view tag, const Histogram& histogram);
std::string image_event(const EventHead& head, std::string_view tag, const Image& image);

}  // namespace vf::io::proto
