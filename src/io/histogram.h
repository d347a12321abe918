#pragma once
// The histograms of TensorBoard's HistogramProto: docs/formats/tfrecord-and-events.md.
#include <string_view>
#include <vector>

#include "varflow/tensor.h"

namespace vf::io {

// Field for field a HistogramProto. Bucket i counts the values in [bucket_limit[i - 1], bucket_limit[i]), the first one
// those from -DBL_MAX on. Of no values, min is DBL_MAX and max -DBL_MAX.
struct Histogram {
  double min = 0;
  double max = 0;
  double num = 0;
  double sum = 0;  // in the order of the elements
  double sum_squares = 0;
  std::vector<double> bucket_limit;
  std::vector<double> bucket;
};

// Of all elements of a tensor of numbers, as TensorFlow's HistogramSummary makes it, to the bit: denormal numbers count
// as 0. InvalidArgument with TensorFlow's texts ("Nan in summary histogram for: TAG", "Infinity in Histogram for: TAG")
// where one is not finite.
Histogram make_histogram(const Tensor& values, std::string_view tag);

}  // namespace vf::io
