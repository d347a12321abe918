#include <algorithm>
#include <array>
#include <cstring>

#include "base/atomic_file.h"
#include "base/coding.h"
#include "base/env.h"
#include "io/npy_header.h"
#include "varflow/arrays.h"

namespace vf {
namespace {

using io::NpyHeader;
using io::NpyType;

void put_utf8(uint32_t c, std::string* to) {
  if (c < 0x80) {
    *to += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static constexpr unsigned char kLead[] = {0, 0xc0, 0xe0, 0xf0};
  *to += static_cast<char>(kLead[more] | (c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) *to += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3f));
}

// One element of '|S' or '<U' as a string; nullopt for a number that is no character.
std::optional<std::string> string_of(std::string_view bytes, const NpyType& type) {
  if (!type.text) return std::string(bytes.substr(0, bytes.find_last_not_of('\0') + 1));
  std::string text;
  size_t zeros = 0;  // those at the end are padding
  for (size_t i = 0; i < bytes.size(); i += 4) {
    const uint32_t c = type.swapped ? __builtin_bswap32(load_fixed32(&bytes[i])) : load_fixed32(&bytes[i]);
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return std::nullopt;
    if (c == 0) {
      ++zeros;
      continue;
    }
    text.append(std::exchange(zeros, 0), '\0');
    put_utf8(c, &text);
  }
  return text;
}

// Offset in the file, in elements, of element i in C order.
class FortranOrder {
 public:
  explicit FortranOrder(const Shape& shape) : at_(shape.dims().size()), strides_(at_.size()), shape_(shape) {
    int64_t stride = 1;
    for (size_t i = 0; i < strides_.size(); ++i) {
      strides_[i] = stride;
      stride *= shape[static_cast<int>(i)];
    }
  }
  int64_t offset() const { return offset_; }
  void next() {
    for (size_t i = at_.size(); i-- > 0;) {
      offset_ += strides_[i];
      if (++at_[i] < shape_[static_cast<int>(i)]) return;
      offset_ -= at_[i] * strides_[i];
      at_[i] = 0;
    }
  }

 private:
  std::vector<int64_t> at_;
  std::vector<int64_t> strides_;
  Shape shape_;
  int64_t offset_ = 0;
};

void swap_bytes(const NpyType& type, Tensor* tensor) {
  const size_t size = dtype_size(type.dtype) / (is_complex(type.dtype) ? 2 : 1);
  char* at = static_cast<char*>(tensor->raw());
  for (char* end = at + tensor->bytes(); at != end; at += size) std::reverse(at, at + size);
}

struct Layout {
  NpyHeader header;
  NpyType type;
  Shape shape;
  uint64_t data = 0;   // offset of the first element
  uint64_t bytes = 0;  // of all elements
};

Layout read_layout(const RandomAccessFile& file) {
  const auto damaged = [&](const std::string& what) { return Error(Code::DataLoss, file.path() + "; " + what); };
  std::array<char, 12> start{};
  const size_t got = file.read(0, start.data(), start.size());
  if (got < 10 || std::memcmp(start.data(), "\x93NUMPY", 6) != 0) throw damaged("not a .npy file (bad magic)");
  const int version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3 || start[7] != 0)
    throw Error(Code::Unimplemented, file.path() + "; version " + std::to_string(version) + "." +
                                         std::to_string(static_cast<unsigned char>(start[7])) + " of .npy");
  Layout layout;
  const uint64_t preamble = version == 1 ? 10 : 12;
  const uint64_t length = version == 1 ? load_fixed<uint16_t>(&start[8]) : load_fixed32(&start[8]);
  if (file.size() < preamble || length > file.size() - preamble) throw damaged("the header does not end in the file");
  std::string text(length, '\0');
  file.read_exactly(preamble, text.data(), text.size());
  layout.data = preamble + length;
  try {
    layout.header = io::parse_npy_header(text);
    layout.shape = Shape(layout.header.shape);
    static_cast<void>(layout.shape.num_elements());
  } catch (const Error& e) {
    throw damaged(std::string("bad header: ") + e.what());
  }
  layout.type = io::parse_npy_descr(layout.header.descr);
  if (layout.type.dtype == DType::Invalid)
    throw Error(Code::Unimplemented,
                file.path() + "; arrays of descr " +
                    (layout.header.descr.empty() ? "with fields" : "'" + layout.header.descr + "'") +
                    " are not supported");
  const auto count = static_cast<uint64_t>(layout.shape.num_elements());
  const auto size = static_cast<uint64_t>(layout.type.size);
  const uint64_t left = file.size() - layout.data;
  // Strings of no bytes at all take no room in the file, whatever the shape says.
  if (__builtin_mul_overflow(count, size, &layout.bytes) || layout.bytes > left || (size == 0 && count > file.size()))
    throw damaged("the shape " + layout.shape.str() + " of '" + layout.header.descr + "' needs more than the " +
                  std::to_string(left) + " bytes from offset " + std::to_string(layout.data));
  return layout;
}

}  // namespace

Tensor read_npy(const std::string& path) { return read_npy(Env::system(), path); }

Tensor read_npy(Env& env, const std::string& path) {
  const auto file = env.open(path);
  const Layout layout = read_layout(*file);
  const NpyType& type = layout.type;
  const bool reordered = layout.header.fortran_order && layout.shape.rank() > 1;
  Tensor tensor(type.dtype, layout.shape);
  if (type.dtype == DType::String || reordered) {
    std::string bytes(layout.bytes, '\0');
    file->read_exactly(layout.data, bytes.data(), bytes.size());
    FortranOrder order(layout.shape);
    const auto size = static_cast<size_t>(type.size);
    for (int64_t i = 0; i < tensor.num_elements(); ++i, order.next()) {
      const auto at = static_cast<size_t>(reordered ? order.offset() : i) * size;
      if (type.dtype != DType::String) {
        std::memcpy(static_cast<char*>(tensor.raw()) + static_cast<size_t>(i) * size, &bytes[at], size);
        continue;
      }
      auto element = string_of(std::string_view(bytes).substr(at, size), type);
      if (!element) throw Error(Code::DataLoss, path + "; no character at offset " + std::to_string(layout.data + at));
      tensor.data<std::string>()[i] = std::move(*element);
    }
  } else {
    file->read_exactly(layout.data, tensor.raw(), tensor.bytes());
  }
  if (type.swapped && type.dtype != DType::String) swap_bytes(type, &tensor);
  if (type.dtype == DType::Bool) {
    auto* at = static_cast<uint8_t*>(tensor.raw());
    for (size_t i = 0; i < tensor.bytes(); ++i) at[i] = at[i] != 0;
  }
  return tensor;
}

void write_npy(const std::string& path, const Tensor& tensor) { write_npy(Env::system(), path, tensor); }

void write_npy(Env& env, const std::string& path, const Tensor& tensor) {
  NpyHeader header;
  header.descr = io::npy_descr(tensor.dtype());
  if (header.descr.empty())
    throw Error(Code::Unimplemented, path + "; NumPy has no arrays of " + dtype_name(tensor.dtype()));
  header.shape.assign(tensor.shape().dims().begin(), tensor.shape().dims().end());
  size_t longest = 0;
  if (tensor.dtype() == DType::String) {
    for (const std::string& s : tensor.values<std::string>()) {
      if (s.ends_with('\0'))
        throw Error(Code::InvalidArgument, path + "; a string ends with a zero byte, which NumPy would drop");
      longest = std::max(longest, s.size());
    }
    header.descr += std::to_string(longest);
  }
  AtomicFile file(env, path);
  file.append(io::format_npy_header(header));
  if (tensor.dtype() == DType::String) {
    const std::string zeros(longest, '\0');
    for (const std::string& s : tensor.values<std::string>()) {
      file.append(s);
      file.append(zeros.data(), longest - s.size());
    }
  } else {
    file.append(tensor.raw(), tensor.bytes());
  }
  file.commit();
}

}  // namespace vf
