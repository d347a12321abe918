#pragma once
// Reading protocol buffers that nobody vouches for: one loop over the fields of a message, for .cpp files only.
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "varflow/error.h"

namespace vf::io::proto {

// The current field. protozero checks in debug builds only that a field is read as what it is: is_...(tag) first.
class Field {
 public:
  explicit Field(protozero::pbf_reader* reader) : reader_(reader) {}
  bool is_varint(uint32_t tag) const { return is(tag, protozero::pbf_wire_type::varint); }
  bool is_fixed32(uint32_t tag) const { return is(tag, protozero::pbf_wire_type::fixed32); }
  bool is_fixed64(uint32_t tag) const { return is(tag, protozero::pbf_wire_type::fixed64); }
  bool is_bytes(uint32_t tag) const { return is(tag, protozero::pbf_wire_type::length_delimited); }

  // Each takes the value; once a field.
  int32_t int32() { return take(reader_->get_int32()); }
  int64_t int64() { return take(reader_->get_int64()); }
  bool boolean() { return take(reader_->get_bool()); }
  uint32_t fixed32() { return take(reader_->get_fixed32()); }
  std::string_view bytes() {
    const auto view = take(reader_->get_view());
    return {view.data(), view.size()};
  }
  bool taken() const { return taken_; }

 private:
  bool is(uint32_t tag, protozero::pbf_wire_type type) const {
    return reader_->tag() == tag && reader_->wire_type() == type;
  }
  template <class T>
  T take(T value) {
    taken_ = true;
    return value;
  }

  protozero::pbf_reader* reader_;
  bool taken_ = false;
};

// Calls visit(Field&) for each field; those not taken are skipped. DataLoss "NAME not parseable ..." for damage.
template <class F>
void for_each_field(const char* name, std::string_view message, F&& visit) {
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      Field field(&reader);
      visit(field);
      if (!field.taken()) reader.skip();
    }
  } catch (const protozero::exception& e) {
    throw Error(Code::DataLoss, std::string(name) + " not parseable: " + e.what());
  }
}

}  // namespace vf::io::proto
