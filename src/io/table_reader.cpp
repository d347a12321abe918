#include "io/table_reader.h"

#include <snappy.h>

#include <array>
#include <string>

#include "base/coding.h"
#include "base/crc32c.h"

namespace vf::io {
namespace {

constexpr size_t kFooterSize = 48;
constexpr uint64_t kMagic = 0xdb4775248b80fb57ULL;
constexpr uint64_t kTrailerSize = 5;  // one byte of type, four of checksum
// Snappy's best is 64 bytes for a copy of 3; more is not Snappy's.
constexpr uint64_t kMostExpansion = 64;

struct Handle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

class Table {
 public:
  explicit Table(const RandomAccessFile& file) : file_(file) {}

  // TensorFlow looks for the header, the first entry, when it opens a checkpoint, and says so.
  [[noreturn]] void fail(const std::string& what, uint64_t offset) const {
    throw Error(Code::DataLoss, "Unable to read file (" + file_.path() +
                                    "). Perhaps the file is corrupt or was produced by a newer version of TensorFlow "
                                    "with format changes" +
                                    (has_entries_ ? "" : " (failed to seek to header entry)") + ": " + what +
                                    " at offset " + std::to_string(offset));
  }
  void visited() { has_entries_ = true; }

  Handle index_handle() const {
    if (file_.size() < kFooterSize)
      throw Error(Code::DataLoss, "file is too short to be an sstable: " + file_.path() + ", " +
                                      std::to_string(file_.size()) + " bytes");
    const uint64_t at = file_.size() - kFooterSize;
    std::array<char, kFooterSize> footer;
    file_.read_exactly(at, footer.data(), footer.size());
    if (load_fixed64(footer.data() + 40) != kMagic)
      throw Error(Code::DataLoss,
                  "not an sstable (bad magic number): " + file_.path() + ", offset " + std::to_string(at + 40));
    std::string_view rest(footer.data(), 40);
    take_handle(&rest, at);  // of the metaindex, which no reader of checkpoints needs
    return take_handle(&rest, at);
  }

  Handle take_handle(std::string_view* from, uint64_t at) const {
    const auto offset = take_varint(from);
    const auto size = offset ? take_varint(from) : std::nullopt;
    if (!size) fail("bad block handle", at);
    const uint64_t end = file_.size() - kFooterSize;
    if (*offset > end || *size > end - *offset || end - *offset - *size < kTrailerSize)
      fail("bad block handle: offset " + std::to_string(*offset) + ", size " + std::to_string(*size) +
               " are outside of the file",
           at);
    return {*offset, *size};
  }

  std::string read_block(const Handle& handle) const {
    std::string block(handle.size + kTrailerSize, '\0');
    file_.read_exactly(handle.offset, block.data(), block.size());
    const char* trailer = block.data() + handle.size;
    if (crc32c::value({block.data(), handle.size + 1}) != crc32c::unmask(load_fixed32(trailer + 1)))
      fail("block checksum mismatch", handle.offset);
    const char type = *trailer;
    block.resize(handle.size);
    if (type == 0) return block;
    if (type != 1) fail("unknown block compression " + std::to_string(static_cast<uint8_t>(type)), handle.offset);
    size_t length = 0;
    if (!snappy::GetUncompressedLength(block.data(), block.size(), &length) || length > kMostExpansion * block.size())
      fail("corrupted compressed block contents", handle.offset);
    std::string plain(length, '\0');
    if (!snappy::RawUncompress(block.data(), block.size(), plain.data()))
      fail("corrupted compressed block contents", handle.offset);
    return plain;
  }

  // visit(key, value) for each entry; the restart points serve for searching only.
  template <class F>
  void for_each(std::string_view block, uint64_t at, F&& visit) {
    if (block.size() < 4) fail("block too short", at);
    const uint64_t restarts = load_fixed32(block.data() + block.size() - 4);
    if (restarts > (block.size() - 4) / 4) fail("bad restart points of the block", at);
    std::string_view rest = block.substr(0, block.size() - 4 - 4 * restarts);
    std::string key;
    while (!rest.empty()) {
      const auto shared = take_varint(&rest);
      const auto unshared = shared ? take_varint(&rest) : std::nullopt;
      const auto value_size = unshared ? take_varint(&rest) : std::nullopt;
      if (!value_size || *shared > key.size() || *unshared > rest.size() || *value_size > rest.size() - *unshared)
        fail("bad entry in block", at);
      key.resize(*shared);
      key.append(rest.substr(0, *unshared));
      key_bytes_ += key.size();
      if (key_bytes_ > kMostExpansion * file_.size() * 4) fail("keys too long in block", at);
      visit(key, rest.substr(*unshared, *value_size));
      rest.remove_prefix(*unshared + *value_size);
    }
  }

 private:
  const RandomAccessFile& file_;
  uint64_t key_bytes_ = 0;
  bool has_entries_ = false;
};

}  // namespace

void read_table(const RandomAccessFile& file, const std::function<void(std::string_view, std::string_view)>& visit) {
  Table table(file);
  const Handle index = table.index_handle();
  uint64_t end_of_last = 0;
  bool first = true;
  std::string last_key;
  table.for_each(table.read_block(index), index.offset, [&](std::string_view, std::string_view value) {
    const Handle handle = table.take_handle(&value, index.offset);
    if (handle.offset < end_of_last) table.fail("blocks out of order", index.offset);
    end_of_last = handle.offset + handle.size + kTrailerSize;
    table.for_each(table.read_block(handle), handle.offset, [&](std::string_view key, std::string_view entry) {
      if (!first && key <= last_key) table.fail("keys out of order in block", handle.offset);
      first = false;
      last_key = key;
      visit(key, entry);
      table.visited();
    });
  });
}

}  // namespace vf::io
