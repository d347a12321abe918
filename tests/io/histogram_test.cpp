#include "io/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numeric>

#include "golden_events.h"

namespace vf::io {
namespace {

Histogram parse(const std::string& bytes) {
  Histogram h;
  protozero::pbf_reader reader(bytes);
  const auto all = [&](std::vector<double>* to) {
    for (const double value : reader.get_packed_double()) to->push_back(value);
  };
  while (reader.next()) {
    switch (reader.tag()) {
      case 1: h.min = reader.get_double(); break;
      case 2: h.max = reader.get_double(); break;
      case 3: h.num = reader.get_double(); break;
      case 4: h.sum = reader.get_double(); break;
      case 5: h.sum_squares = reader.get_double(); break;
      case 6: all(&h.bucket_limit); break;
      case 7: all(&h.bucket); break;
      default: ADD_FAILURE() << "field " << reader.tag(); reader.skip();
    }
  }
  return h;
}

// Field for field, to the bit.
TEST(Histogram, EqualsTensorFlows) {
  const auto cases = vf::testing::histogram_cases();
  const auto events = vf::testing::read_records(vf::testing::golden_path("histograms.tfevents"));
  ASSERT_EQ(cases.size(), events.size());
  ASSERT_GE(cases.size(), 10u);
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    const Histogram ours = make_histogram(cases[i].tensor(), "tag");
    const Histogram theirs = parse(vf::testing::value_field(events[i], 5));
    EXPECT_EQ(ours.min, theirs.min);
    EXPECT_EQ(ours.max, theirs.max);
    EXPECT_EQ(ours.num, theirs.num);
    EXPECT_EQ(ours.sum, theirs.sum);
    EXPECT_EQ(ours.sum_squares, theirs.sum_squares);
    EXPECT_EQ(ours.bucket_limit, theirs.bucket_limit);
    EXPECT_EQ(ours.bucket, theirs.bucket);
  }
}

TEST(Histogram, CountsEveryValueInItsBucket) {
  // Each limit, its neighbours, and what lies between: compared with a plain search from the smallest limit.
  std::vector<double> limits = {0};
  for (double limit = 1e-12; limit < 1e20; limit *= 1.1) limits.insert(limits.end(), {limit, -limit});
  limits.insert(limits.end(), {DBL_MAX, -DBL_MAX});
  std::sort(limits.begin(), limits.end());
  ASSERT_EQ(limits.size(), 2u * 775 + 1);
  for (const double limit : limits) {
    for (const double value :
         {limit, std::nextafter(limit, -INFINITY), std::nextafter(limit, INFINITY), limit * 0.97}) {
      if (value != 0 && !std::isnormal(value)) continue;
      const Histogram h = make_histogram(Tensor(value), "tag");
      const auto bucket = std::max_element(h.bucket.begin(), h.bucket.end()) - h.bucket.begin();
      const auto expected = std::upper_bound(limits.begin(), limits.end() - 1, value);
      ASSERT_EQ(h.bucket_limit[static_cast<size_t>(bucket)], *expected) << value;
      ASSERT_EQ(std::accumulate(h.bucket.begin(), h.bucket.end(), 0.0), 1) << value;
    }
  }
}

TEST(Histogram, ReadsSmallTypes) {
  const Histogram h = make_histogram(Tensor::of<bool>({3}, {true, false, true}), "tag");
  EXPECT_EQ(h.sum, 2);
  EXPECT_EQ(make_histogram(Tensor(DType::Half, {0}), "tag").max, -DBL_MAX);
}

TEST(Histogram, RefusesWhatIsNotFinite) {
  // The texts of TensorFlow 2.21's HistogramSummary.
  for (const auto& [value, text] : {std::pair{std::nanf(""), "Nan in summary histogram for: conv1/kernel"},
                                    {INFINITY, "Infinity in Histogram for: conv1/kernel"},
                                    {-INFINITY, "Infinity in Histogram for: conv1/kernel"}}) {
    try {
      make_histogram(Tensor::vector<float>({1, value}), "conv1/kernel");
      ADD_FAILURE() << value;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::InvalidArgument);
      EXPECT_STREQ(e.what(), text);
    }
  }
  EXPECT_THROW(make_histogram(Tensor("text"), "tag"), Error);
}

}  // namespace
}  // namespace vf::io
