#include "varflow/trainer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "train/dataset.h"
#include "train/models.h"
#include "varflow/checkpoint.h"
#include "varflow/session.h"

namespace vf::train {
namespace {

const std::string kData = std::string(VARFLOW_SOURCE_ROOT) + "/data/mnist10k";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "varflow-train-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

TrainOptions small(const std::string& out) {
  TrainOptions o;
  o.data = kData;
  o.out = out;
  o.model.name = "mlp";
  o.epochs = 2;
  return o;
}

// A network that is trained on digits knows them; its kernels changed when they should, by what they should.
TEST(Trainer, TrainsAndChangesKernels) {
  const Folder folder;
  TrainOptions options = small(folder.path("a"));
  std::vector<ChangeReport> changes;
  std::vector<EpochReport> epochs;
  TrainListener listener;
  listener.change = [&](const ChangeReport& r) { changes.push_back(r); };
  listener.epoch = [&](const EpochReport& r) { epochs.push_back(r); };
  const TrainResult result = train(options, listener, false);
  EXPECT_GT(result.test_accuracy, 0.9);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_LT(epochs[1].loss, epochs[0].loss);
  ASSERT_EQ(changes.size(), 3U);  // the factor after epoch 0, the noise after both
  EXPECT_EQ(changes[0].variable, "dense2/kernel");
  EXPECT_NEAR(changes[0].norm_after / changes[0].norm_before, 0.9, 1e-5);
  EXPECT_EQ(changes[1].variable, "dense3/kernel");
  EXPECT_NE(changes[1].norm_after, changes[1].norm_before);
  EXPECT_EQ(changes[2].epoch, 1);
  const CheckpointReader reader(result.checkpoint);
  EXPECT_EQ(reader.entry("dense1/kernel").shape, Shape({784, 512}));
  EXPECT_TRUE(reader.has("dense1/kernel/Momentum"));
  EXPECT_EQ(reader.read("global_step").item<int64_t>(), 140);
}

// An interrupted run saves what it has; the next one goes on from there.
TEST(Trainer, StopsAndGoesOn) {
  const Folder folder;
  TrainOptions options = small(folder.path("a"));
  std::atomic<bool> stop{false};
  int steps = 0;
  TrainListener listener;
  listener.step = [&](const StepReport&) { stop = ++steps == 5; };
  const TrainResult stopped = train(options, listener, stop);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(CheckpointReader(stopped.checkpoint).read("global_step").item<int64_t>(), 5);
  options.restore = stopped.checkpoint;
  options.epochs = 1;
  const TrainResult result = train(options, {}, false);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(CheckpointReader(result.checkpoint).read("global_step").item<int64_t>(), 70);
}

TEST(Trainer, SaysWhatIsWrong) {
  const Folder folder;
  TrainOptions options = small(folder.path("a"));
  options.data = folder.path("nowhere");
  EXPECT_THROW(train(options, {}, false), Error);
  options = small(folder.path("a"));
  options.model.name = "alexnet";
  EXPECT_THROW(train(options, {}, false), Error);
  options = small(folder.path("a"));
  options.batch = 10000;
  EXPECT_THROW(train(options, {}, false), Error);
  EXPECT_FALSE(std::filesystem::exists(folder.path("a")));
}

// Two steps of LeNet's training, and all of its weights.
std::vector<Tensor> lenet_weights(int threads, bool deterministic) {
  Graph graph;
  Model m = make_model(graph, {.first_kernel = ""}, Shape{28, 28, 1}, 10);
  Session session(graph, {.threads = threads, .deterministic = deterministic});
  session.run(global_variables_initializer(graph));
  const Dataset data = read_dataset(kData, "train");
  Batch batch;
  for (int64_t step = 0; step < 2; ++step) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < 48; ++i) rows.push_back(step * 48 + i);
    fill_batch(data, rows.data(), 48, batch);
    session.run({m.train_op}, {{m.images, batch.images}, {m.labels, batch.labels}, {m.training, Tensor(true)}});
  }
  std::vector<Tensor> weights;
  for (const Variable& v : trainable_variables(graph)) weights.push_back(session.get(v));
  return weights;
}

void expect_same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(std::memcmp(a[i].raw(), b[i].raw(), a[i].bytes()), 0) << i;
}

TEST(Trainer, GivesTheSameBitsEachTime) { expect_same_bits(lenet_weights(2, false), lenet_weights(2, false)); }

TEST(Trainer, DeterministicOnAnyNumberOfThreads) {
  const std::vector<Tensor> one = lenet_weights(1, true);
  expect_same_bits(one, lenet_weights(2, true));
  expect_same_bits(one, lenet_weights(3, true));
}

}  // namespace
}  // namespace vf::train
