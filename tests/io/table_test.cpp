#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>
#include <leveldb/table.h>
#include <leveldb/table_builder.h>
#include <snappy.h>

#include <map>
#include <memory>

#include "base/coding.h"
#include "base/crc32c.h"
#include "io/support.h"
#include "io/table_reader.h"
#include "io/table_writer.h"

namespace vf::io {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::TempFolder;
using Entries = std::map<std::string, std::string>;

Entries read(const std::string& path) {
  Entries entries;
  read_table(*Env::system().open(path),
             [&](std::string_view key, std::string_view value) { entries.emplace(key, value); });
  return entries;
}

Entries many() {
  Entries entries;
  for (int i = 0; i < 20000; ++i)
    entries["layer" + std::to_string(i % 100) + "/kernel" + std::to_string(i)] = std::string(i % 40, char(i));
  entries["large"] = std::string(600000, 'l');
  entries[""] = "header";
  return entries;
}

TEST(Table, WriterAndReaderAgreeOverManyBlocks) {
  TempFolder folder;
  AtomicFile file(Env::system(), folder / "t");
  TableWriter writer(&file);
  const Entries entries = many();
  for (const auto& [key, value] : entries) writer.add(key, value);
  EXPECT_EQ(error_of([&] { writer.add("large", "again"); }).code(), Code::Internal);
  writer.finish();
  file.commit();
  EXPECT_TRUE(read(folder / "t") == entries);
}

// Old checkpoints have compressed blocks; LevelDB writes the same.
TEST(Table, ReadsCompressedBlocks) {
  TempFolder folder;
  leveldb::WritableFile* raw = nullptr;
  ASSERT_TRUE(leveldb::Env::Default()->NewWritableFile(folder / "t", &raw).ok());
  const std::unique_ptr<leveldb::WritableFile> file(raw);
  leveldb::Options options;
  options.compression = leveldb::kSnappyCompression;
  leveldb::TableBuilder builder(options, file.get());
  const Entries entries = many();
  for (const auto& [key, value] : entries) builder.Add(key, value);
  ASSERT_TRUE(builder.Finish().ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_LT(Env::system().info(folder / "t")->size, 500000U);
  EXPECT_TRUE(read(folder / "t") == entries);
}

std::string entry(uint64_t shared, const std::string& suffix, const std::string& value) {
  std::string bytes;
  put_varint(&bytes, shared);
  put_varint(&bytes, suffix.size());
  put_varint(&bytes, value.size());
  return bytes + suffix + value;
}

std::string handle(uint64_t offset, uint64_t size) {
  std::string bytes;
  put_varint(&bytes, offset);
  put_varint(&bytes, size);
  return bytes;
}

std::string with_restarts(std::string entries) { return entries + std::string("\0\0\0\0\1\0\0\0", 8); }

// A table by hand, every checksum right.
class Crafted {
 public:
  std::string add_block(const std::string& block, char type = 0) {
    const uint64_t offset = bytes_.size();
    bytes_ += block + type;
    put_fixed32(&bytes_, crc32c::mask(crc32c::value(block + type)));
    return handle(offset, block.size());
  }
  std::string finish(const std::string& index_handle) {
    std::string footer = handle(0, 0) + index_handle;
    footer.resize(40, '\0');
    put_fixed64(&footer, 0xdb4775248b80fb57ULL);
    return bytes_ + footer;
  }

 private:
  std::string bytes_;
};

class HostileTable : public ::testing::Test {
 protected:
  void expect_data_loss(const std::string& bytes, const std::string& text) {
    testing::write(folder_ / "t", bytes);
    const Error e = error_of([&] { read(folder_ / "t"); });
    EXPECT_EQ(e.code(), Code::DataLoss) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(text));
    EXPECT_THAT(e.what(), HasSubstr(folder_ / "t"));
  }
  TempFolder folder_;
};

TEST_F(HostileTable, NoTableAtAll) {
  expect_data_loss("", "file is too short to be an sstable");
  expect_data_loss(std::string(47, 'x'), "file is too short to be an sstable");
  expect_data_loss(std::string(100, 'x'), "not an sstable (bad magic number)");
}

TEST_F(HostileTable, HandlesOutsideOfTheFile) {
  for (const uint64_t size : {UINT64_MAX, UINT64_MAX - 4, uint64_t{1} << 40, uint64_t{100}})
    expect_data_loss(Crafted().finish(handle(0, size)), "bad block handle");
  expect_data_loss(Crafted().finish(handle(UINT64_MAX, 8)), "bad block handle");
  Crafted table;
  const auto index = table.add_block(with_restarts(entry(0, "k", handle(3, UINT64_MAX - 4))));
  expect_data_loss(table.finish(index), "bad block handle");
}

TEST_F(HostileTable, EntriesOutsideOfTheirBlock) {
  for (const std::string& bad :
       {entry(1, "k", "v"), std::string("\0\x7f\0k", 4), std::string("\0\1\x7fk", 4),
        std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0", 12), std::string("\0", 1)}) {
    Crafted table;
    const auto block = table.add_block(with_restarts(bad));
    const auto index = table.add_block(with_restarts(entry(0, "z", block)));
    expect_data_loss(table.finish(index), "bad entry in block at offset 0");
  }
  Crafted table;
  const auto index = table.add_block(std::string("\xff\xff\xff\xff", 4));
  expect_data_loss(table.finish(index), "bad restart points");
}

TEST_F(HostileTable, KeysOutOfOrder) {
  Crafted table;
  const auto block = table.add_block(with_restarts(entry(0, "b", "1") + entry(0, "a", "2")));
  const auto index = table.add_block(with_restarts(entry(0, "z", block)));
  expect_data_loss(table.finish(index), "keys out of order");
}

TEST_F(HostileTable, AWrongChecksum) {
  Crafted table;
  const auto block = table.add_block(with_restarts(entry(0, "b", "1")));
  std::string bytes = table.finish(table.add_block(with_restarts(entry(0, "z", block))));
  bytes[3] ^= 1;
  expect_data_loss(bytes, "format changes (failed to seek to header entry): block checksum mismatch at offset 0");
}

TEST_F(HostileTable, OneBlockManyTimes) {
  Crafted table;
  const auto block = table.add_block(with_restarts(""));
  const auto index = table.add_block(with_restarts(entry(0, "a", block) + entry(0, "b", block)));
  expect_data_loss(table.finish(index), "blocks out of order");
}

TEST_F(HostileTable, ACompressedBombIsNotUnpacked) {
  std::string bomb;
  put_varint(&bomb, uint64_t{1} << 31);
  Crafted table;
  const auto block = table.add_block(bomb, 1);
  const auto index = table.add_block(with_restarts(entry(0, "z", block)));
  expect_data_loss(table.finish(index), "corrupted compressed block");
  Crafted other;
  const auto unknown = other.add_block(with_restarts(""), 7);
  expect_data_loss(other.finish(other.add_block(with_restarts(entry(0, "z", unknown)))), "unknown block compression 7");
}

// 2,000 keys of 200,000 shared bytes: 400 MB out of 220 kB.
TEST_F(HostileTable, SharedPrefixesDoNotExplode) {
  std::string entries = entry(0, std::string(200000, 'a'), "");
  for (int i = 1; i < 2000; ++i) entries += entry(200000 + i - 1, "a", "");
  Crafted table;
  const auto block = table.add_block(with_restarts(entries));
  const auto index = table.add_block(with_restarts(entry(0, "z", block)));
  expect_data_loss(table.finish(index), "keys too long");
}

}  // namespace
}  // namespace vf::io
