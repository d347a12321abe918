#include "golden_steps.h"

#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace vf::golden {
namespace {

std::string unzipped(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  std::string text;
  std::vector<char> block(1 << 20);
  int read = 0;
  while ((read = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()))) > 0)
    text.append(block.data(), static_cast<size_t>(read));
  // A stream that is cut short is no error to gzread.
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (read < 0 || code != Z_OK) throw std::runtime_error(path + ": not a whole gzip stream");
  return text;
}

// Lines of words, and the bytes that follow some of them.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), text_(unzipped(path)) {}

  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error(path_ + ": " + why + " in line '" + line_ + "'");
  }
  // Goes to the next line and gives its first word.
  std::string next() {
    const size_t end = text_.find('\n', at_);
    line_ = text_.substr(at_, end - at_);
    if (end == std::string::npos) fail("no end");
    at_ = end + 1;
    words_ = std::istringstream(line_);
    return word();
  }
  std::string word() {
    std::string word;
    if (!(words_ >> word)) fail("a word is missing");
    return word;
  }
  double number() {
    const std::string text = word();
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (*end) fail("'" + text + "' is no number");
    return value;
  }
  int64_t integer() { return static_cast<int64_t>(number()); }
  void expect(const std::string& expected) {
    if (word() != expected) fail("no '" + expected + "'");
  }
  // `count` values of little-endian bytes.
  template <class T>
  void bytes(T* values, int64_t count) {
    static_assert(std::endian::native == std::endian::little);
    if (count < 0 || static_cast<uint64_t>(count) > (text_.size() - at_) / sizeof(T)) fail("too few bytes");
    std::memcpy(values, text_.data() + at_, static_cast<size_t>(count) * sizeof(T));
    at_ += static_cast<size_t>(count) * sizeof(T);
  }
  template <class T>
  std::vector<T> bytes(int64_t count) {
    if (count < 0 || static_cast<uint64_t>(count) > text_.size()) fail("too few bytes");
    std::vector<T> values(static_cast<size_t>(count));
    bytes(values.data(), count);
    return values;
  }

 private:
  std::string path_;
  std::string text_;
  size_t at_ = 0;
  std::string line_;
  std::istringstream words_;
};

Variable read_variable(Reader& in) {
  Variable v;
  v.name = in.word();
  std::istringstream shape(in.word());
  for (std::string size; std::getline(shape, size, ',');) v.shape.push_back(std::atoll(size.c_str()));
  v.start = in.word();
  v.seed = in.integer();
  v.trainable = in.word() == "trainable";
  return v;
}

State read_state(Reader& in) {
  State s;
  s.is_slot = in.word() == "slot";
  s.name = in.word();
  const std::string encoding = in.word();
  s.scale = static_cast<float>(in.number());
  s.crc = static_cast<uint32_t>(in.integer());
  const int64_t count = in.integer();
  if (encoding == "steps")
    s.steps = in.bytes<int8_t>(count);
  else if (encoding == "exact")
    s.exact = in.bytes<float>(count);
  else if (encoding != "start")
    in.fail("unknown encoding");
  return s;
}

Result read_result(Reader& in) {
  Result r;
  r.kind = in.word();
  r.name = in.word();
  r.norm = in.number();
  r.sum = in.number();
  r.onednn = in.number();
  r.from_double = in.number();
  r.onednn_from_double = in.number();
  const int64_t samples = in.integer();
  in.bytes(r.projections.data(), kProjections);
  in.bytes(r.double_projections.data(), kProjections);
  r.samples = in.bytes<float>(samples);
  return r;
}

}  // namespace

int64_t Variable::size() const {
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  return size;
}

std::vector<float> State::decode(std::span<const float> start) const {
  if ((!steps.empty() && steps.size() != start.size()) || (!exact.empty() && exact.size() != start.size()))
    throw std::runtime_error(name + ": the start values are not as many as the state's");
  std::vector<float> values = exact.empty() ? std::vector<float>(start.begin(), start.end()) : exact;
  for (size_t i = 0; i < steps.size(); ++i) {
    const float change = static_cast<float>(steps[i]) * scale;
    values[i] = start[i] + change;
  }
  const uLong now = crc32_z(0, reinterpret_cast<const Bytef*>(values.data()), values.size() * sizeof(float));
  if (now != crc) throw std::runtime_error(name + ": the decoded state has other bits than TensorFlow's");
  return values;
}

const State& Step::state(bool is_slot, std::string_view name) const {
  for (const State& s : states)
    if (s.is_slot == is_slot && s.name == name) return s;
  throw std::runtime_error("no state of " + std::string(name));
}

const Result& Step::result(std::string_view kind, std::string_view name) const {
  for (const Result& r : results)
    if (r.kind == kind && r.name == name) return r;
  throw std::runtime_error("no " + std::string(kind) + " of " + std::string(name));
}

Training read_training(const std::string& path) {
  Reader in(path);
  Training t;
  if (in.next() != "varflow-golden-steps") in.fail("not a file of training steps");
  in.expect("1");
  t.model = in.word();
  for (std::string what; (what = in.next()) != "end";) {
    if (what == "batch") {
      t.batch = in.integer();
    } else if (what == "learning_rate") {
      t.learning_rate = static_cast<float>(in.number());
    } else if (what == "momentum") {
      t.momentum = static_cast<float>(in.number());
    } else if (what == "variable") {
      t.variables.push_back(read_variable(in));
    } else if (what == "losses") {
      auto& losses = in.word() == "plain" ? t.losses : t.onednn_losses;
      losses = in.bytes<float>(in.integer());
    } else if (what == "agree") {
      t.agree = in.integer();
    } else if (what == "step") {
      Step& s = t.steps.emplace_back();
      s.step = in.integer();
      s.draws = in.integer();
      s.loss = static_cast<float>(in.number());
      s.onednn_loss = static_cast<float>(in.number());
      s.double_loss = in.number();
    } else if (t.steps.empty()) {
      in.fail("unknown word");
    } else if (what == "state") {
      t.steps.back().states.push_back(read_state(in));
    } else if (what == "result") {
      t.steps.back().results.push_back(read_result(in));
    } else {
      in.fail("unknown word");
    }
  }
  return t;
}

uint64_t hash64(uint64_t seed, uint64_t index) {
  uint64_t z = index + (seed + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

Projections project(std::span<const float> values) {
  Projections sums{};
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t signs = hash64(1, i);
    const uint64_t bits = std::bit_cast<uint64_t>(static_cast<double>(values[i]));
    for (size_t j = 0; j < sums.size(); ++j) sums[j] += std::bit_cast<double>(bits ^ ((signs >> j) << 63));
  }
  return sums;
}

double estimated_distance(const Projections& a, const Projections& b) {
  double squares = 0;
  for (size_t j = 0; j < a.size(); ++j) squares += (a[j] - b[j]) * (a[j] - b[j]);
  return std::sqrt(squares / kProjections);
}

void formula_batch(int64_t number, std::vector<float>& images, std::vector<int32_t>& labels) {
  images.resize(16 * 32 * 32 * 3);
  labels.resize(16);
  const uint64_t batch = static_cast<uint64_t>(number);
  for (size_t k = 0; k < images.size(); ++k)
    images[k] = std::ldexp(static_cast<float>(hash64(2, batch * images.size() + k) >> 40), -24);
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<int32_t>(hash64(3, batch * labels.size() + i) % 10);
}

}  // namespace vf::golden
