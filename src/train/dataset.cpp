#include "train/dataset.h"

#include <algorithm>

#include "base/env.h"
#include "io/idx.h"

namespace vf::train {
namespace {

Tensor read_one(const std::string& stem, int rank, const char* what) {
  for (const char* ending : {"", ".gz"}) {
    if (!Env::system().exists(stem + ending)) continue;
    Tensor t = io::read_idx(Env::system(), stem + ending);
    if (t.dtype() != DType::UInt8 || t.shape().rank() != rank)
      throw Error(Code::InvalidArgument,
                  stem + ending + " holds no " + what + ": " + t.shape().str() + " " + dtype_python_name(t.dtype()));
    return t;
  }
  throw Error(Code::NotFound, "neither " + stem + " nor " + stem + ".gz exists");
}

}  // namespace

int Dataset::classes() const {
  int most = 0;
  for (uint8_t label : labels.values<uint8_t>()) most = std::max<int>(most, label);
  return most + 1;
}

Dataset read_dataset(const std::string& folder, const std::string& prefix) {
  Dataset d;
  d.images = read_one(folder + "/" + prefix + "-images-idx3-ubyte", 3, "images");
  d.labels = read_one(folder + "/" + prefix + "-labels-idx1-ubyte", 1, "labels");
  if (d.images.shape()[0] != d.labels.shape()[0])
    throw Error(Code::InvalidArgument, folder + "/" + prefix + ": " + std::to_string(d.images.shape()[0]) +
                                           " images, but " + std::to_string(d.labels.shape()[0]) + " labels");
  if (d.size() == 0) throw Error(Code::InvalidArgument, folder + "/" + prefix + ": no images");
  return d;
}

void fill_batch(const Dataset& data, const int64_t* rows, int64_t count, Batch& batch) {
  const Shape image = data.image_shape();
  const Shape shape{count, image[0], image[1], image[2]};
  if (!(batch.images.valid() && batch.images.shape() == shape)) {
    batch.images = Tensor(DType::Float, shape);
    batch.labels = Tensor(DType::Int32, Shape{count});
  }
  const int64_t pixels = image.num_elements();
  const uint8_t* from = data.images.data<uint8_t>();
  float* to = batch.images.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* source = from + rows[i] * pixels;
    for (int64_t k = 0; k < pixels; ++k) to[i * pixels + k] = static_cast<float>(source[k]) / 255.0F;
    batch.labels.data<int32_t>()[i] = data.labels.data<uint8_t>()[rows[i]];
  }
}

std::vector<int64_t> shuffled_rows(int64_t count, int64_t seed, int64_t epoch) {
  std::vector<int64_t> rows(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) rows[static_cast<size_t>(i)] = i;
  // Fisher and Yates with a generator that the standard defines to the bit.
  std::mt19937_64 random(static_cast<uint64_t>(seed) * 1000003U + static_cast<uint64_t>(epoch));
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(rows[static_cast<size_t>(i)], rows[random() % static_cast<uint64_t>(i + 1)]);
  return rows;
}

}  // namespace vf::train
