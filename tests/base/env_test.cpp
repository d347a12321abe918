#include "base/env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "base/fault_env.h"
#include "base/temp_folder.h"

namespace vf {
namespace {

using ::testing::ElementsAre;
using testing::FaultEnv;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TempFolder;

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::Ok, "");
}

TEST(Env, WritesAppendsAndReads) {
  TempFolder folder;
  Env& env = Env::system();
  const std::string path = folder / "a";
  auto file = env.create(path);
  file->append("hello ");
  file->append("world");
  file->sync();
  file->close();
  env.create(path, Env::Write::Append)->append("!");
  EXPECT_EQ(read_file(env, path), "hello world!");
  EXPECT_EQ(env.open(path)->size(), 12U);
  char part[8] = {};
  EXPECT_EQ(env.open(path)->read(6, part, 8), 6U);
  EXPECT_STREQ(part, "world!");
  EXPECT_EQ(env.open(path)->read(UINT64_MAX - 2, part, 8), 0U);
  env.create(path)->close();
  EXPECT_EQ(read_file(env, path), "");
  EXPECT_EQ(error_of([&] { env.create(path, Env::Write::Exclusive); }).code(), Code::AlreadyExists);
}

TEST(Env, NamesThePathAndTheReason) {
  TempFolder folder;
  Env& env = Env::system();
  const Error missing = error_of([&] { env.open(folder / "none"); });
  EXPECT_EQ(missing.code(), Code::NotFound);
  EXPECT_EQ(std::string(missing.what()), folder / "none" + "; No such file or directory");
  EXPECT_EQ(error_of([&] { env.create(folder / "none/a"); }).code(), Code::NotFound);
  EXPECT_EQ(error_of([&] { env.open(folder.path()); }).code(), Code::FailedPrecondition);
  EXPECT_EQ(error_of([&] { env.list(folder / "none"); }).code(), Code::NotFound);
  EXPECT_EQ(error_of([&] { env.remove(folder / "none"); }).code(), Code::NotFound);
  EXPECT_EQ(error_of([&] { env.rename(folder / "none", folder / "b"); }).code(), Code::NotFound);
  EXPECT_EQ(code_of_errno(ENOSPC), Code::ResourceExhausted);
  EXPECT_EQ(code_of_errno(EACCES), Code::PermissionDenied);
  write_file_atomically(env, folder / "short", "12");
  const auto file = env.open(folder / "short");
  char bytes[4];
  const Error short_read = error_of([&] { file->read_exactly(1, bytes, 4); });
  EXPECT_EQ(short_read.code(), Code::OutOfRange);
  EXPECT_THAT(short_read.what(), HasSubstr("Read less bytes than requested"));
  EXPECT_EQ(error_of([&] { read_file(env, folder / "short", 1); }).code(), Code::ResourceExhausted);
}

// A pipe in place of a file must not make the reader wait for a writer.
TEST(Env, RefusesWhatIsNotAFile) {
  TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { Env::system().open(folder / "pipe"); }).code(), Code::FailedPrecondition);
}

TEST(Env, RefusesPathsWithAZeroByte) {
  TempFolder folder;
  Env& env = Env::system();
  write_file_atomically(env, folder / "a", "1");
  const std::string path = folder / std::string("a\0b", 3);
  EXPECT_EQ(error_of([&] { env.open(path); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { env.create(path); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { env.remove(path); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { env.info(path); }).code(), Code::InvalidArgument);
  EXPECT_EQ(error_of([&] { env.rename(path, folder / "b"); }).code(), Code::InvalidArgument);
  EXPECT_TRUE(env.exists(folder / "a"));
}

TEST(Env, HandlesFolders) {
  TempFolder folder;
  Env& env = Env::system();
  env.create_folders(folder / "x/y/z");
  env.create_folders(folder / "x/y/z");
  write_file_atomically(env, folder / "x/b", "1");
  write_file_atomically(env, folder / "x/a", "22");
  EXPECT_THAT(env.list(folder / "x"), ElementsAre("a", "b", "y"));
  EXPECT_EQ(error_of([&] { env.create_folders(folder / "x/a/c"); }).code(), Code::FailedPrecondition);
  EXPECT_TRUE(env.info(folder / "x")->folder);
  EXPECT_EQ(env.info(folder / "x/a")->size, 2U);
  EXPECT_FALSE(env.exists(folder / "x/a/b"));
  env.remove(folder / "x/y/z");
  EXPECT_FALSE(env.exists(folder / "x/y/z"));
  EXPECT_EQ(error_of([&] { env.remove(folder / "x"); }).code(), Code::FailedPrecondition);
}

TEST(Env, SplitsAndJoinsPaths) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("c"), ".");
  EXPECT_EQ(folder_of("/c"), "/");
  EXPECT_EQ(file_name_of("a/b/c"), "c");
  EXPECT_EQ(file_name_of("c"), "c");
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("a", "/b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

TEST(AtomicFile, SyncsBeforeItRenames) {
  TempFolder folder;
  FaultEnv env;
  write_file_atomically(env, folder / "f", "new");
  ASSERT_EQ(env.calls(), 6);
  EXPECT_THAT(env.log()[0], StartsWith("create f.tempstate"));
  EXPECT_THAT(env.log()[1], StartsWith("append f.tempstate"));
  EXPECT_THAT(env.log()[2], StartsWith("sync f.tempstate"));
  EXPECT_THAT(env.log()[3], StartsWith("close f.tempstate"));
  EXPECT_THAT(env.log()[4], StartsWith("rename f.tempstate"));
  EXPECT_EQ(env.log()[5], "sync_folder " + file_name_of(folder.path()));
}

// Whatever call fails, the old file stays whole until the rename, and no litter stays beside it.
TEST(AtomicFile, KeepsTheOldFileWhereACallFails) {
  for (int call = 0; call < 5; ++call) {
    TempFolder folder;
    write_file_atomically(Env::system(), folder / "f", "old");
    FaultEnv env;
    env.fail_at(call, ENOSPC);
    const Error e = error_of([&] { write_file_atomically(env, folder / "f", "the new bytes"); });
    EXPECT_EQ(e.code(), Code::ResourceExhausted);
    EXPECT_EQ(read_file(Env::system(), folder / "f"), "old") << call;
    EXPECT_THAT(Env::system().list(folder.path()), ElementsAre("f")) << call;
  }
}

TEST(AtomicFile, SurvivesACrashAtEveryCall) {
  for (int call = 0; call < 6; ++call) {
    TempFolder folder;
    write_file_atomically(Env::system(), folder / "f", "old");
    FaultEnv env;
    env.crash_at(call);
    EXPECT_THROW(write_file_atomically(env, folder / "f", "new"), Error);
    EXPECT_EQ(read_file(Env::system(), folder / "f"), call < 5 ? "old" : "new");
  }
}

TEST(AtomicFile, StreamsLargeAndSmallPieces) {
  TempFolder folder;
  std::string all;
  {
    AtomicFile file(Env::system(), folder / "f");
    for (size_t i = 0; i < 60; ++i) {
      const std::string piece(i % 3 == 0 ? 300000 : 7777 * (i % 5), static_cast<char>('a' + i % 26));
      file.append(piece);
      all += piece;
    }
    EXPECT_EQ(file.size(), all.size());
    EXPECT_FALSE(Env::system().exists(folder / "f"));
    file.commit();
  }
  EXPECT_TRUE(read_file(Env::system(), folder / "f") == all);
  EXPECT_THAT(Env::system().list(folder.path()), ElementsAre("f"));
}

}  // namespace
}  // namespace vf
