// One gradient of LeNet, whoever asks for it and however many threads there really are: oneDNN's primitives are
// silently wrong where they get fewer threads than they were made for.
#include <gtest/gtest.h>
#include <omp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "small_model.h"

namespace vf::testing {
namespace {

struct Lenet : SmallModel {
  explicit Lenet(int threads) : SmallModel("lenet", "momentum", {28, 28, 1}, 32), session(graph, {.threads = threads}) {
    session.run(initializer);
    for (const Output& g : gradients()) fetches.emplace_back(g);
  }
  std::vector<Tensor> run() { return session.run(fetches, feeds(false)); }  // without dropout: draws differ by turn

  Session session;
  Fetches fetches;
};

// What one thread gives: right everywhere.
const std::vector<Tensor>& expected() {
  static const std::vector<Tensor> values = Lenet(1).run();
  return values;
}

// Sums are cut into other parts by other numbers of threads: the gradient, as one long vector, is within 1e-6 of its
// norm.
void expect_right(const std::string& actual) {
  const float* at = reinterpret_cast<const float*>(actual.data());
  ASSERT_EQ(actual.size(), bits(expected()).size());
  double norm = 0;
  double distance = 0;
  for (const Tensor& t : expected())
    for (float e : t.values<float>()) {
      norm += static_cast<double>(e) * static_cast<double>(e);
      distance += std::pow(static_cast<double>(*at++) - static_cast<double>(e), 2);
    }
  EXPECT_LE(std::sqrt(distance), 1e-6 * std::sqrt(norm));
}

std::string read_all(int file) {
  std::string s;
  std::array<char, 65536> part;
  for (ssize_t n; (n = read(file, part.data(), part.size())) > 0;) s.append(part.data(), static_cast<size_t>(n));
  return s;
}

void write_all(int file, const std::string& s) {
  for (size_t at = 0; at < s.size();) {
    const ssize_t n = write(file, s.data() + at, s.size() - at);
    if (n <= 0) _exit(2);
    at += static_cast<size_t>(n);
  }
}

// What `child`, which gets the pipe's end, writes in a process of its own.
std::string in_child(const std::function<void(int pipe)>& child) {
  std::array<int, 2> ends;
  if (pipe(ends.data()) != 0) return "";
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    close(ends[0]);
    child(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  std::string s = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return s;
}

// Threads that are not there are waited for without end: better a test that dies.
class AnyThread : public ::testing::Test {
 protected:
  void SetUp() override { alarm(100); }
  void TearDown() override { alarm(0); }
};

TEST_F(AnyThread, MainAndAnother) {
  Lenet lenet(2);
  const std::string first = bits(lenet.run());
  expect_right(first);
  EXPECT_EQ(bits(lenet.run()), first);
  std::string other;
  std::thread([&] { other = bits(lenet.run()); }).join();
  EXPECT_EQ(other, first) << "the same number of threads gives the same bits";
}

TEST_F(AnyThread, InsideAHostsParallelRegion) {
  Lenet lenet(2);
  lenet.run();  // made for two threads before
  std::array<std::string, 2> results;
  int team = 0;
#pragma omp parallel num_threads(2)
  {
#pragma omp single
    team = omp_get_num_threads();
    results[static_cast<size_t>(omp_get_thread_num())] = bits(lenet.run());
  }
  ASSERT_EQ(team, 2);
  for (const std::string& r : results) {
    expect_right(r);
    EXPECT_EQ(r, bits(expected()));
  }
  EXPECT_EQ(bits(lenet.run()), bits(Lenet(2).run())) << "outside again";
}

TEST_F(AnyThread, FromManyThreadsAtOnce) {
  Lenet lenet(2);
  std::array<std::string, 4> results;
  std::vector<std::thread> threads;
  for (std::string& r : results) threads.emplace_back([&] { r = bits(lenet.run()); });
  for (std::thread& t : threads) t.join();
  for (const std::string& r : results) EXPECT_EQ(r, results[0]);
  expect_right(results[0]);
}

// A child of fork has none of its parent's threads.
TEST_F(AnyThread, AfterFork) {
  Lenet lenet(2);
  lenet.run();
  const std::string result = in_child([&](int pipe) { write_all(pipe, bits(lenet.run())); });
  expect_right(result);
  EXPECT_EQ(result, bits(expected()));
}

constexpr const char* kPipe = "VARFLOW_TEST_PIPE";

// What the next test starts in a process of its own.
TEST_F(AnyThread, DISABLED_UnderALimitOfThreads) {
  ASSERT_EQ(omp_get_thread_limit(), 1);
  const char* pipe = std::getenv(kPipe);
  ASSERT_NE(pipe, nullptr);
  write_all(std::atoi(pipe), bits(Lenet(2).run()));
}

TEST_F(AnyThread, UnderALimitOfThreads) {
  std::array<char, PATH_MAX> self{};
  ASSERT_GT(readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  const std::string result = in_child([&](int pipe) {
    setenv("OMP_THREAD_LIMIT", "1", 1);
    setenv(kPipe, std::to_string(pipe).c_str(), 1);
    unsetenv("GTEST_OUTPUT");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl(self.data(), self.data(), "--gtest_filter=AnyThread.DISABLED_UnderALimitOfThreads",
          "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
    _exit(3);
  });
  expect_right(result);
  EXPECT_EQ(result, bits(expected()));
}

}  // namespace
}  // namespace vf::testing
