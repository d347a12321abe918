#pragma once
// Reads tests/golden/*.steps.gz: single training steps that real TensorFlow made. make_training_steps.py beside them
// says what they hold and how; training_models.py says which models and which batches.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vf::golden {

inline constexpr int kProjections = 64;
using Projections = std::array<double, kProjections>;

// A variable of the model, in the order in which they were created.
struct Variable {
  std::string name;
  std::vector<int64_t> shape;
  std::string start;       // "glorot_uniform", "zeros", "ones"
  int64_t seed = 0;        // op seed of the initializer; the graph's is 1
  bool trainable = false;  // else a moving average, which has no gradient and no slot
  int64_t size() const;
};

// What a variable or its momentum slot holds before a recorded step.
struct State {
  bool is_slot = false;
  std::string name;  // the variable's, for a slot too
  float scale = 0;
  uint32_t crc = 0;           // zlib's crc32 of the float32 bytes
  std::vector<int8_t> steps;  // start + float(steps[i]) * scale
  std::vector<float> exact;   // or the values themselves; where both are empty, the start

  // The values. `start`: what the initializer gives (zeros for a slot). Throws where the result is not TensorFlow's to
  // the bit: then the initializer's values are not.
  std::vector<float> decode(std::span<const float> start) const;
};

// What TensorFlow has after the step. Differences are 2-norms over this one's norm.
struct Result {
  std::string kind;  // "gradient", "slot", "variable"
  std::string name;  // the variable's
  double norm = 0;
  double sum = 0;
  double onednn = 0;                 // TensorFlow with oneDNN from TensorFlow without, which is what is recorded
  double from_double = 0;            // the recorded one from the same step in double
  double onednn_from_double = 0;     // TensorFlow with oneDNN from the same step in double
  Projections projections{};         // of the recorded one
  Projections double_projections{};  // of the same step in double
  std::vector<float> samples;        // element i * size / samples.size() for each i
};

struct Step {
  int64_t step = 0;   // updates made before it; also the number of its batch
  int64_t draws = 0;  // runs of each random op before it
  float loss = 0;
  float onednn_loss = 0;
  double double_loss = 0;
  std::vector<State> states;
  std::vector<Result> results;

  // Throw where there is none.
  const State& state(bool is_slot, std::string_view name) const;
  const Result& result(std::string_view kind, std::string_view name) const;
};

struct Training {
  std::string model;  // "lenet", "mlp", "resnet18"
  int64_t batch = 0;
  float learning_rate = 0;
  float momentum = 0;
  std::vector<Variable> variables;
  // Losses of a free run from the initial values; the first `agree` of both are equal to 1e-5.
  std::vector<float> losses;
  std::vector<float> onednn_losses;
  int64_t agree = 0;
  std::vector<Step> steps;
};

// Throws std::runtime_error for a file that is missing, cut short or malformed.
Training read_training(const std::string& path);

// The output function of SplitMix64 (Steele, Lea, Flood 2014), as in hash64.py.
uint64_t hash64(uint64_t seed, uint64_t index);

// Sums with 64 fixed series of signs. They are linear, and the root of the mean square of a difference of two
// projections estimates the 2-norm of the difference of the tensors, with a standard deviation of 9 %.
Projections project(std::span<const float> values);
double estimated_distance(const Projections& a, const Projections& b);

// Batch `number` of resnet18: 16 images of 32x32x3 in [0, 1), and their labels.
void formula_batch(int64_t number, std::vector<float>& images, std::vector<int32_t>& labels);

}  // namespace vf::golden
