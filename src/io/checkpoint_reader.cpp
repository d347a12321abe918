#include "io/checkpoint_reader.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"

namespace vf {
namespace {

using io::TensorSlice;
using io::proto::BundleEntry;

constexpr size_t kPiece = size_t{1} << 20;  // small enough that the checksum finds the bytes in the cache

// Bytes of the numbers that a file of the other byte order has reversed.
size_t swapped_size(DType dtype) { return is_complex(dtype) ? dtype_size(dtype) / 2 : dtype_size(dtype); }

void swap_bytes(Tensor* tensor) {
  const size_t size = swapped_size(tensor->dtype());
  char* at = static_cast<char*>(tensor->raw());
  for (char* end = at + tensor->bytes(); at != end; at += size) std::reverse(at, at + size);
}

// A byte that is neither 0 nor 1 is no bool in C++.
void normalize_bools(Tensor* tensor) {
  auto* at = static_cast<uint8_t*>(tensor->raw());
  for (size_t i = 0; i < tensor->bytes(); ++i) at[i] = at[i] != 0;
}

Shape checked_shape(const BundleEntry& entry, const std::string& name, const std::string& path) {
  const auto& dims = entry.shape.dims;
  const bool negative = std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 0; });
  if (negative || entry.shape.unknown_rank)
    throw Error(Code::DataLoss, "Invalid tensor shape: " + name + " " + debug_string(entry.shape) + " in " + path);
  if (dims.size() > Shape::kMaxRank)
    throw Error(Code::Unimplemented, "tensor " + name + " in " + path + " has " + std::to_string(dims.size()) +
                                         " dimensions; at most " + std::to_string(Shape::kMaxRank) + " are supported");
  Shape shape(dims);
  try {
    static_cast<void>(shape.num_elements());
  } catch (const Error&) {
    throw Error(Code::DataLoss, "Invalid tensor shape: " + name + " " + debug_string(entry.shape) + " in " + path);
  }
  return shape;
}

}  // namespace

CheckpointReader::Impl::Impl(Env& e, const std::string& p) : env(e), prefix(p), index(io::read_bundle_index(e, p)) {
  for (const auto& [key, entry] : index.entries) {
    if (io::is_slice_key(key)) continue;
    CheckpointEntry& listed = entries.emplace_back();
    listed.name = key;
    listed.dtype = io::dtype_of_entry(entry);
    listed.shape = checked_shape(entry, key, io::index_path(prefix));
    for (const TensorSlice& slice : entry.slices) listed.slices.push_back(io::slice_str(slice));
  }
}

std::string CheckpointReader::Impl::where(const std::string& shown_as, const BundleEntry& entry) const {
  return "key " + shown_as + ", file " + io::data_path(prefix, entry.shard, index.header.num_shards) + ", offset " +
         std::to_string(entry.offset);
}

const RandomAccessFile& CheckpointReader::Impl::shard(int number) const {
  const int count = index.header.num_shards;
  if (number < 0 || number >= count)
    throw Error(Code::DataLoss,
                "shard " + std::to_string(number) + " of " + std::to_string(count) + " in " + io::index_path(prefix));
  const std::lock_guard lock(mutex_);
  auto& file = shards_[number];
  if (!file) file = env.open(io::data_path(prefix, number, count));
  return *file;
}

const BundleEntry& CheckpointReader::Impl::find(const std::string& key, const std::string& shown_as) const {
  const auto found = index.entries.find(key);
  if (found == index.entries.end())
    throw Error(Code::NotFound, "Key " + shown_as + " not found in checkpoint " + prefix);
  return found->second;
}

const RandomAccessFile& CheckpointReader::Impl::checked_range(const std::string& shown_as,
                                                              const BundleEntry& entry) const {
  const RandomAccessFile& file = shard(entry.shard);
  const auto offset = static_cast<uint64_t>(entry.offset);
  const auto size = static_cast<uint64_t>(entry.size);
  if (entry.offset < 0 || entry.size < 0)
    throw Error(Code::DataLoss,
                "Invalid size in bundle entry: " + where(shown_as, entry) + ", size " + std::to_string(entry.size));
  if (offset > file.size() || size > file.size() - offset)
    throw Error(Code::OutOfRange, "Read less bytes than requested: " + where(shown_as, entry) + ", " +
                                      std::to_string(size) + " bytes of a file of " + std::to_string(file.size()));
  return file;
}

void CheckpointReader::Impl::throw_checksum(const std::string& shown_as, const BundleEntry& entry,
                                            uint32_t calculated) const {
  throw Error(Code::DataLoss, "TensorBundle at " + prefix + " shard " + std::to_string(entry.shard) + " (" +
                                  std::to_string(entry.size) + " bytes): Checksum does not match: stored " +
                                  std::to_string(crc32c::unmask(entry.crc32c)) +
                                  " vs. calculated on the restored bytes " + std::to_string(calculated) + ": " +
                                  where(shown_as, entry));
}

void CheckpointReader::Impl::for_each_piece(const std::string& shown_as, const BundleEntry& entry,
                                            const std::function<void(const char*, size_t)>& visit) const {
  const RandomAccessFile& file = checked_range(shown_as, entry);
  std::string piece(std::min<size_t>(kPiece, static_cast<size_t>(entry.size)), '\0');
  for (size_t done = 0, size = static_cast<size_t>(entry.size); done < size;) {
    const size_t n = std::min(kPiece, size - done);
    file.read_exactly(static_cast<uint64_t>(entry.offset) + done, piece.data(), n);
    visit(piece.data(), n);
    done += n;
  }
}

void CheckpointReader::Impl::read_plain(const std::string& shown_as, const BundleEntry& entry, Tensor* to) const {
  const RandomAccessFile& file = shard(entry.shard);
  char* bytes = static_cast<char*>(to->raw());
  uint32_t crc = 0;
  for (size_t done = 0, size = to->bytes(); done < size;) {
    const size_t n = std::min(kPiece, size - done);
    file.read_exactly(static_cast<uint64_t>(entry.offset) + done, bytes + done, n);
    crc = crc32c::extend(crc, bytes + done, n);
    done += n;
  }
  if (crc != crc32c::unmask(entry.crc32c)) throw_checksum(shown_as, entry, crc);
  if (index.header.big_endian) swap_bytes(to);
  if (to->dtype() == DType::Bool) normalize_bools(to);
}

void CheckpointReader::Impl::read_strings(const std::string& shown_as, const BundleEntry& entry, Tensor* to) const {
  std::string bytes(static_cast<size_t>(entry.size), '\0');
  shard(entry.shard).read_exactly(static_cast<uint64_t>(entry.offset), bytes.data(), bytes.size());
  const auto damaged = [&](const std::string& what) {
    return Error(Code::DataLoss, what + ": " + where(shown_as, entry));
  };
  std::string_view rest = bytes;
  std::vector<uint64_t> lengths(static_cast<size_t>(to->num_elements()));
  uint32_t crc = 0;
  for (uint64_t& length : lengths) {
    const auto stored = take_varint(&rest);
    if (!stored) throw damaged("Invalid string length");
    length = *stored;
    // The checksum is over the numbers, not over the varints.
    crc = crc32c::extend(crc, &length, length <= UINT32_MAX ? 4 : 8);
  }
  if (rest.size() < 4) throw damaged("Read less bytes than requested");
  const uint32_t expected = load_fixed32(rest.data());
  if (expected != crc32c::mask(crc))
    throw damaged("The length checksum does not match: expected " + std::to_string(crc32c::unmask(expected)) +
                  " but actual is " + std::to_string(crc));
  crc = crc32c::extend(crc, rest.data(), rest.size());
  if (crc != crc32c::unmask(entry.crc32c)) throw_checksum(shown_as, entry, crc);
  rest.remove_prefix(4);
  auto* strings = to->data<std::string>();
  for (uint64_t length : lengths) {
    if (length > rest.size()) throw damaged("Read less bytes than requested");
    *strings++ = rest.substr(0, length);
    rest.remove_prefix(length);
  }
  if (!rest.empty()) throw damaged("Invalid size in bundle entry");
}

void CheckpointReader::Impl::check(const std::string& shown_as, const BundleEntry& entry, const Shape& shape) const {
  const DType dtype = io::dtype_of_entry(entry);
  const bool strings = dtype == DType::String;
  if (!is_plain(dtype) && !strings)
    throw Error(Code::Unimplemented, "tensor " + shown_as + " in " + io::index_path(prefix) + " has the dtype number " +
                                         std::to_string(entry.dtype) + ", which is not supported");
  // A string takes at least the byte of its length.
  const int64_t width = strings ? 1 : static_cast<int64_t>(dtype_size(dtype));
  int64_t expected = 0;
  const bool overflow = __builtin_mul_overflow(shape.num_elements(), width, &expected);
  if (overflow || (strings ? entry.size < expected : entry.size != expected))
    throw Error(Code::DataLoss, "Invalid size in bundle entry: key " + shown_as + "; stored size " +
                                    std::to_string(entry.size) + "; expected size " + std::to_string(expected) +
                                    "; shape " + shape.str() + " in " + io::index_path(prefix));
  if (strings && index.header.big_endian)
    throw Error(Code::Unimplemented, "strings of a big-endian checkpoint: " + where(shown_as, entry));
  checked_range(shown_as, entry);
}

Tensor CheckpointReader::Impl::read_entry(const std::string& shown_as, const BundleEntry& entry,
                                          const Shape& shape) const {
  check(shown_as, entry, shape);
  Tensor tensor(io::dtype_of_entry(entry), shape);
  if (tensor.dtype() == DType::String) {
    if (entry.size > 0) read_strings(shown_as, entry, &tensor);
  } else {
    read_plain(shown_as, entry, &tensor);
  }
  return tensor;
}

Tensor CheckpointReader::Impl::read_slices(const std::string& name, const BundleEntry& entry, const Shape& shape,
                                           const TensorSlice& wanted, const std::string& spec) const {
  struct Part {
    std::string shown_as;
    const BundleEntry* entry;
    TensorSlice box;
  };
  std::vector<Part> parts;
  std::vector<TensorSlice> common;
  std::map<int, uint64_t> bytes_left;  // in each shard: parts that share bytes are nobody's, and would grow unbounded
  for (const TensorSlice& slice : entry.slices) {
    const std::string shown_as = name + " slice " + io::slice_str(slice);
    const auto damaged = [&](const std::string& what) {
      return Error(Code::DataLoss, what + ": " + shown_as + " in " + io::index_path(prefix));
    };
    if (!io::fits(slice, shape)) throw damaged("a slice outside of the tensor's shape " + shape.str());
    const TensorSlice box = io::resolve(slice, shape);
    TensorSlice part;
    if (!io::intersect(box, wanted, &part)) continue;
    const BundleEntry& stored = find(io::slice_key(name, slice), shown_as);
    if (checked_shape(stored, shown_as, io::index_path(prefix)) != io::shape_of(box) || stored.dtype != entry.dtype)
      throw damaged("another shape or dtype than the tensor's");
    check(shown_as, stored, io::shape_of(box));
    uint64_t& left = bytes_left.try_emplace(stored.shard, shard(stored.shard).size()).first->second;
    if (static_cast<uint64_t>(stored.size) > left) throw damaged("slices that share bytes");
    left -= static_cast<uint64_t>(stored.size);
    common.push_back(part);
    parts.push_back({shown_as, &stored, box});
  }
  if (!io::tiles_exactly(wanted, common))
    throw Error(Code::InvalidArgument, "Does not have sufficient slices for partitioned tensor " + name +
                                           " to restore in slice_spec: " + spec + " (" + io::index_path(prefix) +
                                           ": slices are missing or overlap)");
  Tensor result(io::dtype_of_entry(entry), io::shape_of(wanted));
  for (size_t i = 0; i < parts.size(); ++i) {
    const Tensor part = read_entry(parts[i].shown_as, *parts[i].entry, io::shape_of(parts[i].box));
    io::copy_box(common[i], part, parts[i].box, &result, wanted);
  }
  return result;
}

CheckpointReader::CheckpointReader(const std::string& prefix) : CheckpointReader(Env::system(), prefix) {}
CheckpointReader::CheckpointReader(Env& env, const std::string& prefix) : impl_(std::make_unique<Impl>(env, prefix)) {}
CheckpointReader::CheckpointReader(CheckpointReader&&) noexcept = default;
CheckpointReader& CheckpointReader::operator=(CheckpointReader&&) noexcept = default;
CheckpointReader::~CheckpointReader() = default;

const std::string& CheckpointReader::prefix() const { return impl_->prefix; }
const std::vector<CheckpointEntry>& CheckpointReader::entries() const { return impl_->entries; }

bool CheckpointReader::has(const std::string& name) const {
  return !io::is_slice_key(name) && impl_->index.entries.contains(name);
}

const CheckpointEntry& CheckpointReader::entry(const std::string& name) const {
  const auto& all = impl_->entries;
  const auto at = std::lower_bound(all.begin(), all.end(), name,
                                   [](const CheckpointEntry& e, const std::string& n) { return e.name < n; });
  if (at == all.end() || at->name != name)
    throw Error(Code::NotFound, "Key " + name + " not found in checkpoint " + impl_->prefix);
  return *at;
}

Tensor CheckpointReader::read(const std::string& name, const std::string& shape_and_slice, DType expected) const {
  const CheckpointEntry& listed = entry(name);
  if (expected != DType::Invalid && expected != listed.dtype)
    throw Error(Code::InvalidArgument, "tensor_name = " + name + "; expected dtype " + dtype_name(expected) +
                                           " does not equal original dtype " + dtype_name(listed.dtype));
  const auto spec = io::parse_shape_and_slice(shape_and_slice);
  if (!spec.whole && spec.shape != listed.shape)
    throw Error(Code::InvalidArgument, "tensor_name = " + name + "; shape in shape_and_slice spec " + spec.shape.str() +
                                           " does not match the shape stored in checkpoint: " + listed.shape.str());
  const BundleEntry& stored = impl_->find(name, name);
  const TensorSlice all(static_cast<size_t>(listed.shape.rank()));
  const TensorSlice wanted = io::resolve(spec.whole ? all : spec.slice, listed.shape);
  if (!stored.slices.empty())
    return impl_->read_slices(name, stored, listed.shape, wanted, io::slice_str(spec.whole ? all : spec.slice));
  Tensor full = impl_->read_entry(name, stored, listed.shape);
  if (io::covers_all(wanted, listed.shape)) return full;
  Tensor part(listed.dtype, io::shape_of(wanted));
  io::copy_box(wanted, full, io::resolve(all, listed.shape), &part, wanted);
  return part;
}

}  // namespace vf
