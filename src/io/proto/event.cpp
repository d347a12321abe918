#include "io/proto/event.h"

#include <protozero/pbf_writer.hpp>

namespace vf::io::proto {
namespace {

// Field numbers of event.proto and summary.proto.
namespace event_field {
enum : protozero::pbf_tag_type { WallTime = 1, Step = 2, FileVersion = 3, Summary = 5 };
}
namespace summary_field {
enum : protozero::pbf_tag_type { Value = 1 };
}
namespace value_field {
enum : protozero::pbf_tag_type { Tag = 1, SimpleValue = 2, Image = 4, Histogram = 5 };
}
namespace image_field {
enum : protozero::pbf_tag_type { Height = 1, Width = 2, Colorspace = 3, Encoded = 4 };
}
namespace histogram_field {
enum : protozero::pbf_tag_type { Min = 1, Max = 2, Num = 3, Sum = 4, SumSquares = 5, BucketLimit = 6, Bucket = 7 };
}

void add_double_unless_zero(protozero::pbf_writer* to, protozero::pbf_tag_type tag, double value) {
  if (value != 0) to->add_double(tag, value);
}

template <class AddValue>
std::string summary_event(const EventHead& head, std::string_view tag, AddValue&& add_value) {
  std::string bytes;
  protozero::pbf_writer event(bytes);
  add_double_unless_zero(&event, event_field::WallTime, head.wall_time);
  if (head.step != 0) event.add_int64(event_field::Step, head.step);
  {
    protozero::pbf_writer summary(event, event_field::Summary);
    protozero::pbf_writer value(summary, summary_field::Value);
    value.add_string(value_field::Tag, tag.data(), tag.size());
    add_value(&value);
  }
  return bytes;
}

}  // namespace

std::string version_event(double wall_time) {
  std::string bytes;
  protozero::pbf_writer event(bytes);
  add_double_unless_zero(&event, event_field::WallTime, wall_time);
  event.add_string(event_field::FileVersion, "brain.Event:2");
  return bytes;
}

std::string scalar_event(const EventHead& head, std::string_view tag, float value) {
  // A member of a oneof: written even where it is zero.
  return summary_event(head, tag, [&](protozero::pbf_writer* to) { to->add_float(value_field::SimpleValue, value); });
}

std::string histogram_event(const EventHead& head, std::string_view tag, const Histogram& histogram) {
  return summary_event(head, tag, [&](protozero::pbf_writer* to) {
    protozero::pbf_writer message(*to, value_field::Histogram);
    add_double_unless_zero(&message, histogram_field::Min, histogram.min);
    add_double_unless_zero(&message, histogram_field::Max, histogram.max);
    add_double_unless_zero(&message, histogram_field::Num, histogram.num);
    add_double_unless_zero(&message, histogram_field::Sum, histogram.sum);
    add_double_unless_zero(&message, histogram_field::SumSquares, histogram.sum_squares);
    const auto& limits = histogram.bucket_limit;
    const auto& counts = histogram.bucket;
    message.add_packed_double(histogram_field::BucketLimit, limits.begin(), limits.end());
    message.add_packed_double(histogram_field::Bucket, counts.begin(), counts.end());
  });
}

std::string image_event(const EventHead& head, std::string_view tag, const Image& image) {
  return summary_event(head, tag, [&](protozero::pbf_writer* to) {
    protozero::pbf_writer message(*to, value_field::Image);
    if (image.height != 0) message.add_int32(image_field::Height, image.height);
    if (image.width != 0) message.add_int32(image_field::Width, image.width);
    if (image.colorspace != 0) message.add_int32(image_field::Colorspace, image.colorspace);
    message.add_bytes(image_field::Encoded, image.encoded.data(), image.encoded.size());
  });
}

}  // namespace vf::io::proto
