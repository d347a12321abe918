#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/checkpoint_state_text.h"
#include "io/support.h"
#include "varflow/checkpoint.h"

namespace vf {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::IsEmpty;
using testing::TempFolder;
using testing::write;

void save(const std::string& prefix) {
  CheckpointWriter writer(prefix);
  writer.add("a", Tensor(1.0F));
  writer.finish();
  write(prefix + ".meta", "");
}

std::string state_text(const TempFolder& folder) { return read_file(Env::system(), folder / "checkpoint"); }

TEST(CheckpointState, WritesTheTextOfSaver) {
  CheckpointState state{"m-2", {"m-1", "m-2"}};
  EXPECT_EQ(io::format_checkpoint_state(state),
            "model_checkpoint_path: \"m-2\"\nall_model_checkpoint_paths: \"m-1\"\n"
            "all_model_checkpoint_paths: \"m-2\"\n");
  state.newest = "a\"b\\c\n\x01\xc3\xa9";
  EXPECT_EQ(io::format_checkpoint_state({state.newest, {}}),
            "model_checkpoint_path: \"a\\\"b\\\\c\\n\\001\xc3\xa9\"\n");
  EXPECT_EQ(io::parse_checkpoint_state(io::format_checkpoint_state(state))->newest, state.newest);
}

TEST(CheckpointState, ReadsAnyLayoutOfTheText) {
  const auto state = io::parse_checkpoint_state(
      "# comment\nall_model_checkpoint_paths: ['a', \"b\" 'c'] # more\n"
      "model_checkpoint_path:'x\\'\\\"\\303\\xa9\\t'; all_model_checkpoint_paths: \"d\", "
      "all_model_checkpoint_timestamps: 1.5e9 all_model_checkpoint_timestamps: [1, 2.5]\nlast_preserved_timestamp: -3");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->newest, "x'\"\xc3\xa9\t");
  EXPECT_THAT(state->all, ElementsAre("a", "bc", "d"));
  EXPECT_TRUE(io::parse_checkpoint_state(""));
}

TEST(CheckpointState, RefusesWhatIsNoSuchText) {
  for (const std::string bad :
       {"model_checkpoint_path", "model_checkpoint_path: ", "model_checkpoint_path: 3", "model_checkpoint_path: \"a",
        "model_checkpoint_path: \"a\nb\"", "other: \"a\"", "model_checkpoint_path: \"a\" model_checkpoint_path: \"b\"",
        "all_model_checkpoint_paths: [\"a\"", "all_model_checkpoint_paths: [\"a\",]", "\"a\"", "{}", ":",
        "model_checkpoint_path: \"\\q\"", "model_checkpoint_path: \"\\", "last_preserved_timestamp: x"})
    EXPECT_FALSE(io::parse_checkpoint_state(bad)) << bad;
}

TEST(CheckpointState, FindsTheNewest) {
  TempFolder folder;
  EXPECT_EQ(latest_checkpoint(folder.path()), std::nullopt);
  write(folder / "checkpoint", "model_checkpoint_path: \"m-3\"\n");
  EXPECT_EQ(latest_checkpoint(folder.path()), std::nullopt);  // its files are gone
  save(folder / "m-3");
  EXPECT_EQ(latest_checkpoint(folder.path()), folder / "m-3");
  write(folder / "checkpoint", "nonsense");
  EXPECT_EQ(latest_checkpoint(folder.path()), std::nullopt);
  write(folder / "checkpoint", "all_model_checkpoint_paths: \"m-3\"\n");
  const Error e = error_of([&] { checkpoint_state(folder.path()); });
  EXPECT_EQ(std::string(e.what()), "Invalid checkpoint state loaded from " + folder.path());
  write(folder / "v1-00000-of-00002", "");
  EXPECT_TRUE(checkpoint_exists(folder / "v1-*-of-00002"));
  EXPECT_FALSE(checkpoint_exists(folder / "v2-*-of-00002"));
}

TEST(CheckpointState, KeepsAbsoluteAndRelativePathsAsSaverDoes) {
  TempFolder folder;
  update_checkpoint_state(folder.path(), {folder / "m", {}});
  EXPECT_EQ(checkpoint_state(folder.path())->newest, folder / "m");
  EXPECT_THAT(state_text(folder), ::testing::HasSubstr("\"" + (folder / "m") + "\""));
  update_checkpoint_state(folder.path(), {folder / "m", {}}, true);
  EXPECT_EQ(state_text(folder), "model_checkpoint_path: \"m\"\nall_model_checkpoint_paths: \"m\"\n");
  EXPECT_EQ(checkpoint_state(folder.path())->newest, folder / "m");
  EXPECT_EQ(error_of([&] {
              update_checkpoint_state(folder.path(), {folder / "checkpoint", {}});
            }).code(),
            Code::InvalidArgument);
}

TEST(CheckpointHistory, KeepsTheNewestAndRemovesTheRest) {
  TempFolder folder;
  CheckpointHistoryOptions options;
  options.max_to_keep = 2;
  options.save_relative_paths = true;
  CheckpointHistory history(options);
  for (const std::string name : {"m-1", "m-2", "m-10", "m-1"}) {
    save(folder / name);
    history.saved(folder / name);
  }
  EXPECT_EQ(state_text(folder),
            "model_checkpoint_path: \"m-1\"\nall_model_checkpoint_paths: \"m-10\"\n"
            "all_model_checkpoint_paths: \"m-1\"\n");
  EXPECT_THAT(Env::system().list(folder.path()),
              ElementsAre("checkpoint", "m-1.data-00000-of-00001", "m-1.index", "m-1.meta", "m-10.data-00000-of-00001",
                          "m-10.index", "m-10.meta"));
}

TEST(CheckpointHistory, KeepsAllWhereAsked) {
  TempFolder folder;
  CheckpointHistoryOptions options;
  options.max_to_keep = 0;
  CheckpointHistory history(options);
  for (const std::string name : {"m-1", "m-2"}) {
    save(folder / name);
    history.saved(folder / name);
  }
  EXPECT_TRUE(checkpoint_exists(folder / "m-1"));
  EXPECT_THAT(history.last_checkpoints(), IsEmpty());
  EXPECT_THAT(checkpoint_state(folder.path())->all, ElementsAre(folder / "m-2"));
}

TEST(CheckpointHistory, KeepsOneForEachSpanOfTime) {
  TempFolder folder;
  double now = 0;
  CheckpointHistoryOptions options;
  options.max_to_keep = 1;
  options.keep_every_hours = 1;
  options.clock = [&] { return now; };
  CheckpointHistory history(options);
  for (const int minutes : {30, 70, 80, 150, 151}) {
    now = minutes * 60;
    const std::string prefix = folder / ("m-" + std::to_string(minutes));
    save(prefix);
    history.saved(prefix);
  }
  // 70 is the first one later than an hour, 150 the first later than two, 151 the newest.
  for (const int minutes : {30, 70, 80, 150, 151})
    EXPECT_EQ(checkpoint_exists(folder / ("m-" + std::to_string(minutes))), minutes != 30 && minutes != 80) << minutes;
}

TEST(RemoveCheckpoint, LeavesOthersAlone) {
  TempFolder folder;
  for (const std::string name : {"m", "m-1", "mm"}) save(folder / name);
  write(folder / "m.data-00000-of-00001.tempstate1", "");
  remove_checkpoint(folder / "m");
  remove_checkpoint(folder / "none");
  EXPECT_FALSE(checkpoint_exists(folder / "m"));
  EXPECT_TRUE(checkpoint_exists(folder / "m-1"));
  EXPECT_TRUE(checkpoint_exists(folder / "mm"));
  EXPECT_EQ(Env::system().list(folder.path()).size(), 7U);
}

}  // namespace
}  // namespace vf
