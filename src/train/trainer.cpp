#include "varflow/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/atomic_file.h"
#include "base/env.h"
#include "io/filter_picture.h"
#include "io/png.h"
#include "train/dataset.h"
#include "train/models.h"
#include "varflow/arrays.h"
#include "varflow/events.h"
#include "varflow/operators.h"
#include "varflow/saver.h"

namespace vf::train {
namespace {

constexpr int64_t kTestBatch = 500;
constexpr int64_t kNoiseSeedOffset = 2000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A change of a kernel that the graph makes when its op runs.
struct Edit {
  Variable variable;
  Output op;
  std::string text;
  int64_t every;  // epochs
};

Output norm_of(const Variable& v) {
  std::vector<int64_t> axes;
  axes.reserve(static_cast<size_t>(v.shape().rank()));
  for (int i = 0; i < v.shape().rank(); ++i) axes.push_back(i);
  return make("Sqrt", {make("Sum", {make("Square", {v}), axes})});
}

class Run {
 public:
  Run(const TrainOptions& options, const TrainListener& listener, const std::atomic<bool>& stop)
      : options_(options),
        listener_(listener),
        stop_(stop),
        train_(read_dataset(options.data, "train")),
        test_(read_dataset(options.data, "t10k")) {
    if (!(train_.image_shape() == test_.image_shape()))
      throw Error(Code::InvalidArgument, options.data + ": images for training are " + train_.image_shape().str() +
                                             ", for testing " + test_.image_shape().str());
    if (options.batch < 1 || options.epochs < 0)
      throw Error(Code::InvalidArgument, "the batch must be at least 1, the epochs at least 0");
    steps_per_epoch_ = train_.size() / options.batch;
    if (steps_per_epoch_ == 0)
      throw Error(Code::InvalidArgument, "a batch of " + std::to_string(options.batch) + " is more than the " +
                                             std::to_string(train_.size()) + " images");
    ModelOptions model = options.model;
    if (model.first_kernel == "auto") {
      model.first_kernel = options.data + "/lenet_conv1.npy";
      if (model.name != "lenet" || !Env::system().exists(model.first_kernel)) model.first_kernel.clear();
    }
    if (!model.first_kernel.empty() && listener.note) listener.note("conv1/kernel starts from " + model.first_kernel);
    model_ = make_model(graph_, model, train_.image_shape(), std::max(train_.classes(), test_.classes()));
    // The step is counted by an op of its own: the optimizer's update stays TensorFlow's.
    global_step_ = variable(graph_, Tensor(int64_t{0}), {.name = "global_step", .trainable = false});
    count_step_ = assign_add(global_step_, Tensor(int64_t{1})).node;
    make_edits();
  }

  TrainResult run() {
    const SessionOptions session_options{
        .threads = options_.threads, .deterministic = options_.deterministic, .precision = options_.precision};
    Session session(graph_, session_options);
    Saver saver(graph_, {.max_to_keep = 2, .resources = true});
    session.run(global_variables_initializer(graph_));
    if (!options_.restore.empty()) saver.restore(session, options_.restore);
    int64_t step = session.get(global_step_).item<int64_t>();
    Env::system().create_folders(options_.out);
    EventWriter events(options_.out);
    TrainResult result;
    result.events = events.path();
    const Variable& first = model_.kernels.front();
    const Tensor kernel_before = session.get(first);
    write_kernels(session, events, step);

    const Callable train_step = session.make_callable({model_.loss, model_.correct, model_.train_op, count_step_},
                                                      {model_.images, model_.labels, model_.training});
    int64_t epoch = step / steps_per_epoch_;
    for (; epoch < options_.epochs && !stop_; ++epoch) {
      EpochReport report = train_epoch(train_step, epoch, step);
      if (stop_) break;
      report.test_accuracy = accuracy(session);
      if (listener_.epoch) listener_.epoch(report);
      for (const Edit& e : edits_)
        if (epoch % e.every == 0) apply(session, e, epoch);
      write_scalars(events, report, step);
      write_kernels(session, events, step);
      result.checkpoint = saver.save(session, options_.out + "/model", step);
      ++result.epochs_done;
    }
    result.interrupted = stop_;
    if (result.interrupted || result.checkpoint.empty())
      result.checkpoint = saver.save(session, options_.out + "/model", step);
    events.close();
    if (first.shape().rank() == 4) {
      result.picture = options_.out + "/kernels.png";
      const io::Picture picture = io::draw_filters_before_after(kernel_before, session.view(first));
      write_file_atomically(Env::system(), result.picture, io::encode_png(picture));
    }
    result.first_kernel = options_.out + "/first_kernel.npy";
    write_npy(result.first_kernel, session.view(first));
    // What counts is what the file holds: it is read back into a session that knows nothing else.
    Session fresh(graph_, session_options);
    saver.restore(fresh, result.checkpoint);
    result.test_accuracy = accuracy(fresh);
    return result;
  }

 private:
  void make_edits() {
    if (!options_.edits || model_.kernels.size() < 3) return;
    const Variable& second = model_.kernels[1];
    const Variable& third = model_.kernels[2];
    edits_.push_back({second, assign(second, second * 0.9F), "*= 0.9", 10});
    const Output noise = random_normal(graph_, third.shape(), {.seed = options_.model.seed + kNoiseSeedOffset});
    edits_.push_back({third, assign_sub(third, noise * 0.001F), "-= 0.001 * normal(seed)", 1});
    for (const Edit& e : edits_) norms_.push_back(norm_of(e.variable));
  }

  void apply(Session& session, const Edit& edit, int64_t epoch) {
    const Output& norm = norms_[static_cast<size_t>(&edit - edits_.data())];
    ChangeReport report{epoch, edit.variable.name(), edit.text, session.run(norm).item<float>(), 0};
    session.run(edit.op.node);
    report.norm_after = session.run(norm).item<float>();
    if (listener_.change) listener_.change(report);
  }

  EpochReport train_epoch(const Callable& train_step, int64_t epoch, int64_t& step) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<int64_t> rows = shuffled_rows(train_.size(), options_.model.seed, epoch);
    EpochReport report{epoch, options_.epochs};
    double loss = 0;
    double correct = 0;
    int64_t done = 0;
    const Tensor training(true);
    // A resumed epoch goes on where it stopped.
    for (int64_t i = step % steps_per_epoch_; i < steps_per_epoch_; ++i) {
      fill_batch(train_, rows.data() + i * options_.batch, options_.batch, batch_);
      const std::vector<Tensor> out = train_step({batch_.images, batch_.labels, training});
      ++step;
      loss += out[0].item<float>();
      correct += out[1].item<float>();
      done += options_.batch;
      const double batches = static_cast<double>(done) / static_cast<double>(options_.batch);
      report.loss = loss / batches;
      report.train_accuracy = correct / static_cast<double>(done);
      if (!std::isfinite(loss))
        throw Error(Code::InvalidArgument, "the loss is not finite at step " + std::to_string(step - 1) +
                                               ": a smaller learning rate may help");
      if (listener_.step)
        listener_.step({epoch, done, steps_per_epoch_ * options_.batch, report.loss, report.train_accuracy});
      if (stop_) break;
    }
    report.samples_per_second = static_cast<double>(done) / std::max(seconds_since(start), 1e-9);
    return report;
  }

  double accuracy(Session& session) {
    std::vector<int64_t> rows(static_cast<size_t>(test_.size()));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
    double correct = 0;
    const Tensor training(false);
    for (int64_t at = 0; at < test_.size(); at += kTestBatch) {
      fill_batch(test_, rows.data() + at, std::min(kTestBatch, test_.size() - at), test_batch_);
      correct += session
                     .run(model_.test_correct, {{model_.images, test_batch_.images},
                                                {model_.labels, test_batch_.labels},
                                                {model_.training, training}})
                     .item<float>();
    }
    return correct / static_cast<double>(test_.size());
  }

  void write_scalars(EventWriter& events, const EpochReport& r, int64_t step) const {
    events.scalar("loss", static_cast<float>(r.loss), step);
    events.scalar("accuracy/train", static_cast<float>(r.train_accuracy), step);
    events.scalar("accuracy/test", static_cast<float>(r.test_accuracy), step);
    events.scalar("samples_per_second", static_cast<float>(r.samples_per_second), step);
  }

  void write_kernels(Session& session, EventWriter& events, int64_t step) const {
    for (const Variable& v : model_.kernels) events.histogram(v.name(), session.view(v), step);
    const Variable& first = model_.kernels.front();
    if (first.shape().rank() == 4) {
      const io::Picture picture = io::draw_filters(session.view(first));
      events.image(first.name(), io::encode_png(picture), picture.height, picture.width, step);
    }
    events.flush();
  }

  const TrainOptions& options_;
  const TrainListener& listener_;
  const std::atomic<bool>& stop_;
  const Dataset train_;
  const Dataset test_;
  Graph graph_;
  Model model_;
  Variable global_step_;
  Node* count_step_ = nullptr;
  std::vector<Edit> edits_;
  std::vector<Output> norms_;
  int64_t steps_per_epoch_ = 0;
  Batch batch_;
  Batch test_batch_;
};

}  // namespace

TrainResult train(const TrainOptions& options, const TrainListener& listener, const std::atomic<bool>& stop) {
  return Run(options, listener, stop).run();
}

}  // namespace vf::train
