#include "train_command.h"

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>

#include "progress.h"
#include "varflow/trainer.h"

namespace vf::tools {
namespace {

std::atomic<bool> stop{false};

void on_interrupt(int) {
  stop = true;
  std::signal(SIGINT, SIG_DFL);  // a second Ctrl-C ends at once
}

int run(const train::TrainOptions& options, bool json) {
  stop = false;
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  Progress progress(options.epochs);
  train::TrainListener listener;
  listener.step = [&](const train::StepReport& r) {
    progress.update(r.epoch + 1, r.done, r.total, r.loss, r.accuracy);
  };
  listener.epoch = [&](const train::EpochReport& r) {
    progress.clear();
    if (json)
      std::printf(
          "{\"epoch\": %lld, \"loss\": %.6g, \"train_accuracy\": %.6g, \"test_accuracy\": %.6g, "
          "\"samples_per_second\": %.6g}\n",
          static_cast<long long>(r.epoch), r.loss, r.train_accuracy, r.test_accuracy, r.samples_per_second);
    else
      std::printf("epoch %2lld/%lld  loss %.4f  train %6.2f%%  test %6.2f%%  %5.0f samples/s\n",
                  static_cast<long long>(r.epoch), static_cast<long long>(r.epochs - 1), r.loss, 100 * r.train_accuracy,
                  100 * r.test_accuracy, r.samples_per_second);
    std::fflush(stdout);
  };
  listener.change = [&](const train::ChangeReport& r) {
    progress.clear();
    if (json)
      std::printf(
          "{\"epoch\": %lld, \"variable\": \"%s\", \"change\": \"%s\", \"norm_before\": %.6g, \"norm_after\": "
          "%.6g}\n",
          static_cast<long long>(r.epoch), r.variable.c_str(), r.change.c_str(), r.norm_before, r.norm_after);
    else
      std::printf("  after epoch %lld: %s %s, norm %.4f -> %.4f\n", static_cast<long long>(r.epoch), r.variable.c_str(),
                  r.change.c_str(), r.norm_before, r.norm_after);
    std::fflush(stdout);
  };
  listener.note = [&](const std::string& text) {
    progress.clear();
    std::fprintf(stderr, "%s\n", text.c_str());
  };
  const train::TrainResult result = train::train(options, listener, stop);
  progress.clear();
  if (json) {
    std::printf(
        "{\"interrupted\": %s, \"test_accuracy\": %.6g, \"checkpoint\": \"%s\", \"picture\": \"%s\", \"events\": "
        "\"%s\"}\n",
        result.interrupted ? "true" : "false", result.test_accuracy, result.checkpoint.c_str(), result.picture.c_str(),
        result.events.c_str());
  } else {
    if (result.interrupted) std::printf("interrupted; go on with --restore %s\n", result.checkpoint.c_str());
    std::printf("test accuracy of the checkpoint: %.2f%%\n", 100 * result.test_accuracy);
    std::printf("  checkpoint %s\n", result.checkpoint.c_str());
    if (!result.picture.empty()) std::printf("  kernels    %s\n", result.picture.c_str());
    std::printf("  events     %s   (tensorboard --logdir %s)\n", result.events.c_str(), options.out.c_str());
  }
  return result.interrupted ? 130 : 0;
}

}  // namespace

std::function<int()> add_train_command(CLI::App& app) {
  auto options = std::make_shared<train::TrainOptions>();
  auto json = std::make_shared<bool>(false);
  auto no_edits = std::make_shared<bool>(false);
  CLI::App* c = app.add_subcommand(
      "train",
      "Train a network on images and change its kernels while it trains: conv1/kernel from a file, conv2/kernel\n"
      "*= 0.9 after epochs 0, 10, 20, ..., dense1/kernel -= 0.001 * normal(seed) after each epoch.\n"
      "Results on stdout, progress on stderr. Exit code 130: interrupted, and saved.");
  c->add_option("--model", options->model.name, "lenet, mlp or resnet18")->capture_default_str();
  c->add_option("--data", options->data, "folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]")
      ->capture_default_str();
  c->add_option("--epochs", options->epochs, "epochs in all, those before --restore included")->capture_default_str();
  c->add_option("--batch", options->batch, "images in a step")->capture_default_str();
  c->add_option("--optimizer", options->model.optimizer, "momentum (0.9), adam or gradient_descent")
      ->capture_default_str();
  c->add_option("--learning-rate", options->model.learning_rate, "0: 0.04 for momentum, 0.001 for adam, 0.1 else")
      ->capture_default_str();
  c->add_option("--seed", options->model.seed, "of initial values, dropout, noise and the order of images")
      ->capture_default_str();
  c->add_option("--threads", options->threads, "0: all cores")->capture_default_str();
  c->add_flag("--deterministic", options->deterministic, "same bits for any number of threads");
  c->add_option(
       "--first-kernel", options->model.first_kernel,
       ".npy with the initial values of lenet's conv1/kernel [5, 5, 1, 32]; none: drawn; auto: lenet_conv1.npy\n"
       "of the data's folder where there is one")
      ->capture_default_str();
  c->add_flag("--no-edits", *no_edits, "leave the kernels to the optimizer");
  c->add_option("--out", options->out, "folder for checkpoints, event file, kernels.png and first_kernel.npy")
      ->capture_default_str();
  c->add_option("--restore", options->restore, "checkpoint (prefix) to go on from");
  c->add_flag("--json", *json, "one JSON object a line in place of text");
  return [options, json, no_edits] {
    options->edits = !*no_edits;
    if (options->model.first_kernel == "none") options->model.first_kernel.clear();
    return run(*options, *json);
  };
}

}  // namespace vf::tools
