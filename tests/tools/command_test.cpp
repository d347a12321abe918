// The command as a process: its exit codes, and what it leaves behind when it is stopped, killed or short of room.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/temp_folder.h"
#include "varflow/checkpoint.h"

namespace vf::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// `varflow ARGUMENTS` with its output in a pipe; it ends with the test at the latest.
class Command {
 public:
  // `most_bytes`, where it is not 0, is the largest file that the process may write.
  explicit Command(std::vector<std::string> arguments, const std::string& errors, rlim_t most_bytes = 0) {
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), VARFLOW_COMMAND);
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int file = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(file, STDERR_FILENO);
      if (most_bytes > 0) {
        ::signal(SIGXFSZ, SIG_IGN);  // a write then fails in place of the process
        const rlimit limit{most_bytes, most_bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
      }
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
  }
  ~Command() {
    if (process_ > 0) {
      kill(SIGKILL);
      exit_code();
    }
    ::fclose(output_);
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // The next line of its output, waiting for it; empty at the end.
  std::string line() {
    char text[1000];
    return ::fgets(text, sizeof text, output_) ? text : "";
  }
  std::string rest() {
    std::string all;
    for (std::string next = line(); !next.empty(); next = line()) all += next;
    return all;
  }
  void kill(int signal) const { ::kill(process_, signal); }
  // Waits for its end; 128 and the signal where one ended it.
  int exit_code() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t process_;
  std::FILE* output_;
};

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

// Small images, an epoch of which takes no time.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Env& env = Env::system();
    env.create_folders(folder / "data");
    for (const std::string name : {"train", "t10k"}) {
      std::string images = big_endian(0x803) + big_endian(32) + big_endian(4) + big_endian(4);
      std::string labels = big_endian(0x801) + big_endian(32);
      for (int i = 0; i < 32; ++i) {
        labels += static_cast<char>(i % 2);
        images += std::string(16, static_cast<char>(i % 2 ? 200 : 20));
      }
      env.create(folder / ("data/" + name + "-images-idx3-ubyte"))->append(images);
      env.create(folder / ("data/" + name + "-labels-idx1-ubyte"))->append(labels);
    }
  }
  std::vector<std::string> train(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"train", "--model",      "mlp",     "--data", folder / "data",
                                 "--out", folder / "out", "--batch", "16"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string errors() const { return folder / "errors"; }
  std::string read_errors() const { return read_file(Env::system(), errors()); }
  // The step of the newest checkpoint, all of whose tensors are whole.
  int64_t saved_step() const {
    const auto prefix = latest_checkpoint(folder / "out");
    if (!prefix) throw std::runtime_error("no checkpoint");
    const CheckpointReader reader(*prefix);
    for (const CheckpointEntry& e : reader.entries()) reader.read(e.name);
    return reader.read("global_step").item<int64_t>();
  }

  testing::TempFolder folder;
};

TEST_F(CommandTest, WrongUseIsTwo) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {}, {"fly"}, {"train", "--no-such-option"}, {"train", "--epochs", "many"}}) {
    Command command(wrong, errors());
    EXPECT_EQ(command.rest(), "");
    EXPECT_EQ(command.exit_code(), 2);
    EXPECT_NE(read_errors(), "");
  }
}

TEST_F(CommandTest, HelpIsZero) {
  Command command({"train", "--help"}, errors());
  EXPECT_THAT(command.rest(), HasSubstr("--learning-rate"));
  EXPECT_EQ(command.exit_code(), 0);
  EXPECT_EQ(read_errors(), "");
}

TEST_F(CommandTest, ErrorsAreOne) {
  Command command({"train", "--data", folder / "nowhere", "--out", folder / "out"}, errors());
  EXPECT_EQ(command.rest(), "");
  EXPECT_EQ(command.exit_code(), 1);
  EXPECT_THAT(read_errors(), StartsWith("varflow: "));
  EXPECT_THAT(read_errors(), HasSubstr(folder / "nowhere"));
  EXPECT_FALSE(Env::system().exists(folder / "out"));
}

TEST_F(CommandTest, SuccessIsZero) {
  Command command(train({"--epochs", "2"}), errors());
  EXPECT_THAT(command.rest(), HasSubstr("test accuracy of the checkpoint: "));
  EXPECT_EQ(command.exit_code(), 0);
  EXPECT_EQ(saved_step(), 4);
}

TEST_F(CommandTest, AnInterruptedOneSavesAndSays130) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Command command(train({"--epochs", "1000000", "--no-edits"}), errors());
    EXPECT_THAT(command.line(), StartsWith("epoch"));
    command.kill(signal);
    EXPECT_THAT(command.rest(), HasSubstr("interrupted; go on with --restore " + (folder / "out/model-")));
    EXPECT_EQ(command.exit_code(), 130);
    EXPECT_GT(saved_step(), 0);
  }
}

// Killed at random moments of saving: a whole checkpoint is always there, never an older one than before, and the next
// process goes on from it. VARFLOW_KILLS says how often.
TEST_F(CommandTest, AKilledOneLeavesACheckpoint) {
  const char* wanted = std::getenv("VARFLOW_KILLS");
  const int kills = wanted ? std::stoi(wanted) : 3;
  std::mt19937_64 random(1);
  int64_t step = 0;
  for (int i = 0; i < kills; ++i) {
    std::vector<std::string> arguments = train({"--epochs", "1000000", "--no-edits"});
    if (i > 0) {
      arguments.emplace_back("--restore");
      arguments.push_back(*latest_checkpoint(folder / "out"));
    }
    Command command(arguments, errors());
    // The second line of a process comes after its first checkpoint; what follows a line is the next.
    for (uint64_t lines = 2 + random() % 3; lines > 0; --lines) ASSERT_THAT(command.line(), StartsWith("epoch"));
    volatile uint64_t spins = 0;
    for (uint64_t n = random() % 20'000'000; n > 0; --n) spins = n;
    static_cast<void>(spins);
    command.kill(SIGKILL);
    EXPECT_EQ(command.exit_code(), 128 + SIGKILL);
    const int64_t now = saved_step();
    EXPECT_GT(now, step) << "kill " << i;
    step = now;
  }
}

// No room for the next checkpoint: an error that names the file, the checkpoint before still there.
TEST_F(CommandTest, AFullDiskLeavesTheLastCheckpoint) {
  {
    Command command(train({"--epochs", "1"}), errors());
    command.rest();
    ASSERT_EQ(command.exit_code(), 0);
  }
  const int64_t step = saved_step();
  Command command(train({"--epochs", "3", "--restore", *latest_checkpoint(folder / "out")}), errors(), 100'000);
  command.rest();
  EXPECT_EQ(command.exit_code(), 1);
  EXPECT_THAT(read_errors(), HasSubstr(folder / "out/"));
  EXPECT_EQ(saved_step(), step);
  const std::vector<std::string> files = Env::system().list(folder / "out");
  EXPECT_TRUE(std::none_of(files.begin(), files.end(), [](const std::string& name) {
    return name.find("tempstate") != std::string::npos;
  })) << "half a file is left";
}

}  // namespace
}  // namespace vf::tools
