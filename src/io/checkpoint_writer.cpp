#include <optional>

#include "base/coding.h"
#include "base/crc32c.h"
#include "io/checkpoint_reader.h"
#include "io/tensor_slice.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using io::TensorSlice;
using io::proto::BundleEntry;

constexpr size_t kPiece = size_t{1} << 20;

BundleEntry entry_of(const Tensor& tensor) {
  BundleEntry entry;
  entry.dtype = static_cast<int32_t>(tensor.dtype());
  entry.shape.dims.assign(tensor.shape().dims().begin(), tensor.shape().dims().end());
  return entry;
}

bool same_tensor(const BundleEntry& a, const BundleEntry& b) {
  return a.dtype == b.dtype && a.shape.dims == b.shape.dims;
}

}  // namespace

struct CheckpointWriter::Impl {
  Impl(Env& e, const std::string& p) : env(e), prefix(p) {
    io::make_one_folder(env, prefix);
    data.emplace(env, io::data_path(prefix, 0, 1));
    index.header.num_shards = 1;
  }

  // The key under which the bytes that come now belong; the full tensor's entry is made or completed for a part.
  std::string claim(const std::string& name, const Tensor& tensor, const std::string& shape_and_slice) {
    const auto spec = io::parse_shape_and_slice(shape_and_slice);
    const auto duplicate = [&] { return Error(Code::InvalidArgument, "Adding duplicate key: " + name); };
    if (io::is_slice_key(name) || name.empty())
      throw Error(Code::InvalidArgument, "a tensor's name in a checkpoint is not empty and begins with no zero byte");
    if (!spec.whole && io::shape_of(io::resolve(spec.slice, spec.shape)) != tensor.shape())
      throw Error(Code::InvalidArgument,
                  "Slice in shape_and_slice specification does not match the shape of the tensor to  save: " +
                      shape_and_slice + ", tensor: " + tensor.shape().str());
    if (spec.whole || io::covers_all(spec.slice, spec.shape)) {
      if (index.entries.contains(name)) throw duplicate();
      return name;
    }
    BundleEntry full = entry_of(tensor);
    full.shape.dims.assign(spec.shape.dims().begin(), spec.shape.dims().end());
    std::string key = io::slice_key(name, spec.slice);
    const auto there = index.entries.find(name);
    const bool mismatch =
        there != index.entries.end() && (there->second.slices.empty() || !same_tensor(there->second, full));
    if (mismatch || index.entries.contains(key)) throw duplicate();
    BundleEntry& stored = index.entries.try_emplace(name, full).first->second;
    stored.slices.push_back(spec.slice);
    return key;
  }

  void append(const void* bytes, size_t n, BundleEntry* entry) {
    const char* from = static_cast<const char*>(bytes);
    uint32_t crc = 0;
    for (size_t done = 0; done < n; done += kPiece) {
      const size_t piece = std::min(kPiece, n - done);
      crc = crc32c::extend(crc, from + done, piece);
      data->append(from + done, piece);
    }
    entry->crc32c = crc32c::mask(crc);
  }

  // The lengths as varints, their checksum, the bytes. The checksums run over the lengths as fixed-width integers.
  void append_strings(const Tensor& tensor, BundleEntry* entry) {
    uint32_t crc = 0;
    std::string lengths;
    for (const std::string& s : tensor.values<std::string>()) {
      const uint64_t length = s.size();
      put_varint(&lengths, length);
      crc = crc32c::extend(crc, &length, length <= UINT32_MAX ? 4 : 8);
    }
    std::string checksum;
    put_fixed32(&checksum, crc32c::mask(crc));
    crc = crc32c::extend(crc, checksum.data(), checksum.size());
    data->append(lengths);
    data->append(checksum);
    for (const std::string& s : tensor.values<std::string>()) {
      crc = crc32c::extend(crc, s.data(), s.size());
      data->append(s);
    }
    entry->crc32c = crc32c::mask(crc);
  }

  void check_open() const {
    if (!data) throw Error(Code::FailedPrecondition, "the checkpoint " + prefix + " is finished");
  }

  Env& env;
  std::string prefix;
  std::optional<AtomicFile> data;
  io::BundleIndex index;
};

CheckpointWriter::CheckpointWriter(const std::string& prefix) : CheckpointWriter(Env::system(), prefix) {}
CheckpointWriter::CheckpointWriter(Env& env, const std::string& prefix) : impl_(std::make_unique<Impl>(env, prefix)) {}
CheckpointWriter::CheckpointWriter(CheckpointWriter&&) noexcept = default;
CheckpointWriter& CheckpointWriter::operator=(CheckpointWriter&&) noexcept = default;
CheckpointWriter::~CheckpointWriter() = default;

void CheckpointWriter::add(const std::string& name, const Tensor& tensor, const std::string& shape_and_slice) {
  impl_->check_open();
  if (!is_plain(tensor.dtype()) && tensor.dtype() != DType::String)
    throw Error(Code::Unimplemented,
                "tensor " + name + " of dtype " + dtype_name(tensor.dtype()) + " cannot be saved in a checkpoint");
  const std::string key = impl_->claim(name, tensor, shape_and_slice);
  BundleEntry entry = entry_of(tensor);
  entry.offset = static_cast<int64_t>(impl_->data->size());
  if (tensor.dtype() == DType::String) {
    impl_->append_strings(tensor, &entry);
  } else {
    impl_->append(tensor.raw(), tensor.bytes(), &entry);
  }
  entry.size = static_cast<int64_t>(impl_->data->size()) - entry.offset;
  impl_->index.entries.emplace(key, std::move(entry));
}

void CheckpointWriter::copy(const CheckpointReader& from, const std::string& name) {
  impl_->check_open();
  const CheckpointReader::Impl& source = from.impl();
  const BundleEntry& full = source.find(from.entry(name).name, name);
  if (source.index.header.big_endian) {  // their bytes are not ours
    if (!full.slices.empty())
      throw Error(Code::Unimplemented, "copying the partitioned tensor " + name + " of a big-endian checkpoint");
    add(name, from.read(name));
    return;
  }
  if (impl_->index.entries.contains(name)) throw Error(Code::InvalidArgument, "Adding duplicate key: " + name);
  // The checksum of strings and variants is not that of their bytes; it goes along as it is.
  const DType dtype = io::dtype_of_entry(full);
  const bool plain_checksum = dtype != DType::String && dtype != DType::Variant;
  const auto copy_one = [&](const std::string& key, const std::string& shown_as) {
    BundleEntry entry = source.find(key, shown_as);
    const auto offset = static_cast<int64_t>(impl_->data->size());
    uint32_t crc = 0;
    source.for_each_piece(shown_as, entry, [&](const char* bytes, size_t n) {
      crc = crc32c::extend(crc, bytes, n);
      impl_->data->append(bytes, n);
    });
    if (plain_checksum && crc != crc32c::unmask(entry.crc32c)) source.throw_checksum(shown_as, entry, crc);
    entry.shard = 0;
    entry.offset = offset;
    impl_->index.entries.insert_or_assign(key, std::move(entry));
  };
  if (full.slices.empty()) {
    copy_one(name, name);
    return;
  }
  for (const TensorSlice& slice : full.slices)
    copy_one(io::slice_key(name, slice), name + " slice " + io::slice_str(slice));
  impl_->index.entries.emplace(name, full);
}

void CheckpointWriter::finish() {
  impl_->check_open();
  AtomicFile index(impl_->env, io::index_path(impl_->prefix));
  io::write_bundle_index(impl_->index, &index);
  index.prepare();
  impl_->data->commit();
  index.commit();
  impl_->data.reset();
}

}  // namespace vf
