// A run that is cut in two, and models on images of the user's own.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/temp_folder.h"
#include "varflow/checkpoint.h"
#include "varflow/trainer.h"

namespace vf::train {
namespace {

void write_idx(const std::string& path, const std::vector<uint32_t>& dims, const std::string& bytes) {
  std::string header = {0, 0, 8, static_cast<char>(dims.size())};
  for (uint32_t d : dims)
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<char>(d >> shift));
  std::ofstream(path, std::ios::binary) << header << bytes;
}

// Images that show their label as a bright row, on a pattern.
void write_images(const std::string& stem, uint32_t count, uint32_t size) {
  std::string pixels;
  std::string labels;
  for (uint32_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<char>(i * 7 % 4));
    for (uint32_t y = 0; y < size; ++y)
      for (uint32_t x = 0; x < size; ++x)
        pixels.push_back(static_cast<char>(y == i * 7 % 4 ? 255 : (i * 31 + y * 17 + x * 5) % 64));
  }
  write_idx(stem + "-images-idx3-ubyte", {count, size, size}, pixels);
  write_idx(stem + "-labels-idx1-ubyte", {count}, labels);
}

class Resume : public ::testing::Test {
 protected:
  TrainOptions options(const std::string& model, uint32_t size, uint32_t count) {
    write_images(folder / "train", count, size);
    write_images(folder / "t10k", 12, size);
    TrainOptions o;
    o.model.name = model;
    o.data = folder.path();
    o.batch = 16;
    o.threads = 2;
    return o;
  }

  TrainResult run(TrainOptions o, const std::string& out, int64_t epochs, const std::string& restore = "",
                  int stop_after = -1) {
    o.out = folder / out;
    o.epochs = epochs;
    o.restore = restore;
    std::atomic<bool> stop{false};
    TrainListener listener;
    listener.step = [&](const StepReport&) {
      if (--stop_after == 0) stop = true;
    };
    return train(o, listener, stop);
  }

  static void expect_same(const std::string& a, const std::string& b) {
    const CheckpointReader left(a);
    const CheckpointReader right(b);
    ASSERT_EQ(left.entries().size(), right.entries().size());
    for (const CheckpointEntry& e : left.entries()) {
      const Tensor x = left.read(e.name);
      const Tensor y = right.read(e.name);
      ASSERT_EQ(x.shape(), y.shape());
      EXPECT_EQ(std::memcmp(x.raw(), y.raw(), x.bytes()), 0) << e.name;
    }
  }

  testing::TempFolder folder;
};

// Weights, slots, step, order of images, dropout and noise: all go on as if nothing had been.
TEST_F(Resume, GivesTheBitsOfARunWithoutABreak) {
  const TrainOptions o = options("lenet", 12, 48);
  const TrainResult straight = run(o, "straight", 4);
  const TrainResult half = run(o, "half", 2);
  expect_same(straight.checkpoint, run(o, "whole", 4, half.checkpoint).checkpoint);
  const TrainResult cut = run(o, "cut", 4, "", 5);  // in the middle of an epoch
  EXPECT_TRUE(cut.interrupted);
  expect_same(straight.checkpoint, run(o, "mended", 4, cut.checkpoint).checkpoint);
}

TEST_F(Resume, TrainsResNet18) {
  const TrainResult result = run(options("resnet18", 8, 32), "out", 1);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.epochs_done, 1);
  EXPECT_GE(result.test_accuracy, 0);
  const CheckpointReader reader(result.checkpoint);
  EXPECT_EQ(reader.read("global_step").item<int64_t>(), 2);
  EXPECT_EQ(reader.entry("stage4/block2/conv2/kernel").shape, Shape({3, 3, 512, 512}));
  const Tensor variance = reader.read("stem/moving_variance");
  EXPECT_NE(variance.data<float>()[0], 1) << "the moving averages move";
}

}  // namespace
}  // namespace vf::train
