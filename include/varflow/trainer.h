#pragma once
// The training loop of `varflow train`: trains a model on images, changes its kernels on the way, and leaves a run's
// folder.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "varflow/export.h"
#include "varflow/kernel.h"

namespace vf::train {

struct ModelOptions {
  std::string name = "lenet";          // lenet, mlp, resnet18, resnet18
  std::string optimizer = "momentum";  // momentum, adam, gradient_descent (or sgd)
  float learning_rate = 0;             // 0: the optimizer's usual one
  int64_t seed = 1;
  // .npy with pretrained values of lenet's conv1/kernel; "" draws them; "auto" takes DATA/lenet_conv1.npy where it is.
  std::string first_kernel = "auto";
};

struct TrainOptions {
  ModelOptions model;
  std::string data = "data/mnist10k";  // folder of the IDX files train-* and t10k-*
  std::string out = "run";             // folder for checkpoints, events and pictures; made where it is missing
  std::string restore;                 // checkpoint to go on from, "" to start anew
  int64_t epochs = 21;
  int64_t batch = 128;
  int threads = 0;  // 0: all cores
  bool deterministic = false;
  Precision precision = Precision::High;
  bool edits = true;  // the scheduled changes of kernels
};

struct EpochReport {
  int64_t epoch = 0;  // from 0
  int64_t epochs = 0;
  double loss = 0;
  double train_accuracy = 0;  // of the epoch's own batches, before each update
  double test_accuracy = 0;
  double samples_per_second = 0;
};

// A change of a kernel by an op of the graph.
struct ChangeReport {
  int64_t epoch = 0;
  std::string variable;
  std::string change;  // "*= 0.9"
  double norm_before = 0;
  double norm_after = 0;
};

struct StepReport {
  int64_t epoch = 0;
  int64_t done = 0;  // samples of this epoch
  int64_t total = 0;
  double loss = 0;      // mean of the epoch so far
  double accuracy = 0;  // of the epoch so far
};

// All are called on the thread that trains; those that are empty are not.
struct TrainListener {
  std::function<void(const StepReport&)> step;
  std::function<void(const EpochReport&)> epoch;
  std::function<void(const ChangeReport&)> change;
  std::function<void(const std::string& text)> note;
};

struct TrainResult {
  bool interrupted = false;
  int64_t epochs_done = 0;
  double test_accuracy = 0;  // of the checkpoint that was written, in a session of its own
  std::string checkpoint;    // prefix
  std::string picture;       // PNG of the first kernel before and after
  std::string first_kernel;  // .npy of the first kernel, for other runs to start from
  std::string events;        // event file
};

// `stop` is looked at after each step: the run then saves and returns. Throws Error for bad options and files, before
// anything is written where that can be told.
VF_API TrainResult train(const TrainOptions& options, const TrainListener& listener, const std::atomic<bool>& stop);

}  // namespace vf::train
