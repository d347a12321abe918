#include "io/tensor_slice.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>

namespace vf::io {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool parse_number(std::string_view text, int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= 0;
}

// Unsigned: a count of bytes, then the bytes without leading zeros, most significant first.
void put_ordered(std::string* to, uint64_t value) {
  std::string bytes;
  for (; value > 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<char>(value));
  to->push_back(static_cast<char>(bytes.size()));
  to->append(bytes);
}

// Signed: the leading bits of the first bytes say how many bytes there are, and sort negative before positive.
void put_ordered_signed(std::string* to, int64_t value) {
  static constexpr uint16_t kHeader[] = {0,      0x8000, 0xc000, 0xe000, 0xf000, 0xf800,
                                         0xfc00, 0xfe00, 0xff00, 0xff80, 0xffc0};
  const uint64_t magnitude = static_cast<uint64_t>(value < 0 ? ~value : value);
  size_t n = 1;
  while (n < 10 && magnitude >> (7 * n - 1) != 0) ++n;
  std::string bytes(10, value < 0 ? '\xff' : '\0');
  for (size_t i = 0; i < 8; ++i) bytes[9 - i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  bytes.erase(0, 10 - n);
  bytes[0] = static_cast<char>(bytes[0] ^ (kHeader[n] >> 8));
  if (n > 1) bytes[1] = static_cast<char>(bytes[1] ^ (kHeader[n] & 0xff));
  to->append(bytes);
}

}  // namespace

ShapeAndSlice parse_shape_and_slice(const std::string& text) {
  ShapeAndSlice result;
  if (text.empty()) return result;
  result.whole = false;
  const auto bad = [&](const std::string& why) {
    return Error(Code::InvalidArgument, "shape_and_slice \"" + text + "\" " + why);
  };
  const auto words = split(text, ' ');
  std::vector<int64_t> dims(words.size() - 1);
  for (size_t i = 0; i < dims.size(); ++i)
    if (!parse_number(words[i], &dims[i])) throw bad("has no size in place of \"" + std::string(words[i]) + "\"");
  result.shape = Shape(dims);
  // A scalar has an empty slice.
  if (!(dims.empty() && words.back().empty())) {
    for (std::string_view part : split(words.back(), ':')) {
      Extent extent;
      const auto numbers = split(part, ',');
      if (part != "-" &&
          !(numbers.size() == 2 && parse_number(numbers[0], &extent.start) && parse_number(numbers[1], &extent.length)))
        throw bad("needs \"-\" or \"start,length\" in place of \"" + std::string(part) + "\"");
      result.slice.push_back(extent);
    }
  }
  resolve(result.slice, result.shape);
  return result;
}

bool fits(const TensorSlice& slice, const Shape& shape) {
  if (static_cast<int>(slice.size()) != shape.rank()) return false;
  for (int i = 0; i < shape.rank(); ++i) {
    const Extent& e = slice[static_cast<size_t>(i)];
    if (e.length == Extent::kWhole && e.start == 0) continue;
    if (e.start < 0 || e.length < 0 || e.start > shape[i] || e.length > shape[i] - e.start) return false;
  }
  return true;
}

TensorSlice resolve(const TensorSlice& slice, const Shape& shape) {
  if (!fits(slice, shape))
    throw Error(Code::InvalidArgument, "slice " + slice_str(slice) + " does not fit the shape " + shape.str());
  TensorSlice result = slice;
  for (int i = 0; i < shape.rank(); ++i) {
    Extent& e = result[static_cast<size_t>(i)];
    if (e.length == Extent::kWhole) e.length = shape[i];
  }
  return result;
}

bool covers_all(const TensorSlice& slice, const Shape& shape) { return shape_of(resolve(slice, shape)) == shape; }

Shape shape_of(const TensorSlice& resolved) {
  Shape shape;
  for (const Extent& e : resolved) shape.add_dim(e.length);
  return shape;
}

std::string slice_str(const TensorSlice& slice) {
  std::string text;
  for (const Extent& e : slice) {
    if (!text.empty()) text += ':';
    text += e.length == Extent::kWhole ? "-" : std::to_string(e.start) + "," + std::to_string(e.length);
  }
  return text;
}

std::string slice_key(std::string_view name, const TensorSlice& slice) {
  std::string key;
  put_ordered(&key, 0);
  for (char c : name) {
    key += c;
    if (c == '\0') key += '\xff';
    if (c == '\xff') key += '\0';
  }
  key.append("\0\1", 2);
  put_ordered(&key, slice.size());
  for (const Extent& e : slice) {
    put_ordered_signed(&key, e.start);
    put_ordered_signed(&key, e.length);
  }
  return key;
}

bool intersect(const TensorSlice& a, const TensorSlice& b, TensorSlice* common) {
  common->resize(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t start = std::max(a[i].start, b[i].start);
    const int64_t end = std::min(a[i].start + a[i].length, b[i].start + b[i].length);
    if (end <= start) return false;
    (*common)[i] = {start, end - start};
  }
  return true;
}

// The indicator function of a box is known by its corners, counted +1 or -1 by how many of their coordinates are
// ends: so boxes add up to the whole one exactly if their corners do. Linear in the number of boxes.
bool tiles_exactly(const TensorSlice& whole, const std::vector<TensorSlice>& parts) {
  std::map<std::vector<int64_t>, int64_t> corners;
  std::vector<int64_t> corner(whole.size());
  const auto add = [&](const TensorSlice& box, int64_t sign) {
    for (uint32_t ends = 0; ends < 1U << box.size(); ++ends) {
      int64_t weight = sign;
      for (size_t i = 0; i < box.size(); ++i) {
        const bool end = ends >> i & 1U;
        corner[i] = box[i].start + (end ? box[i].length : 0);
        if (end) weight = -weight;
      }
      const auto at = corners.try_emplace(corner, 0).first;
      at->second += weight;
      if (at->second == 0) corners.erase(at);
    }
  };
  add(whole, -1);
  for (const TensorSlice& part : parts) add(part, 1);
  return corners.empty();
}

void copy_box(const TensorSlice& common, const Tensor& from, const TensorSlice& from_box, Tensor* to,
              const TensorSlice& to_box) {
  const size_t rank = common.size();
  const auto offset_in = [&](const TensorSlice& box, const std::vector<int64_t>& at) {
    int64_t offset = 0;
    for (size_t i = 0; i < rank; ++i) offset = offset * box[i].length + at[i] - box[i].start;
    return offset;
  };
  for (const Extent& e : common)
    if (e.length == 0) return;
  std::vector<int64_t> at;
  for (const Extent& e : common) at.push_back(e.start);
  const int64_t run = rank == 0 ? 1 : common.back().length;
  const size_t size = dtype_size(from.dtype());
  for (;;) {
    const int64_t source = offset_in(from_box, at);
    const int64_t target = offset_in(to_box, at);
    if (from.dtype() == DType::String) {
      std::copy_n(from.data<std::string>() + source, run, to->data<std::string>() + target);
    } else {
      std::memcpy(static_cast<char*>(to->raw()) + static_cast<size_t>(target) * size,
                  static_cast<const char*>(from.raw()) + static_cast<size_t>(source) * size,
                  static_cast<size_t>(run) * size);
    }
    size_t dim = rank < 2 ? 0 : rank - 1;
    while (dim > 0) {
      const Extent& e = common[--dim];
      if (++at[dim] < e.start + e.length) break;
      at[dim] = e.start;
      if (dim == 0) return;
    }
    if (rank < 2) return;
  }
}

}  // namespace vf::io
