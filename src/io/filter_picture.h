#pragma once
// Convolution kernels as pictures that a reader can judge at a glance.
#include "io/png.h"
#include "varflow/tensor.h"

namespace vf::io {

struct FilterPictureOptions {
  int32_t scale = 8;  // pixels a side that one weight takes
  int32_t columns =
      0;  // tiles in a row; 0: about as many as there are rows, leaving no place of the grid empty if possible
  double limit = 0;  // the absolute value that gets the strongest colour; 0: the largest one there is
};

// A kernel [height, width, in, out] as a grid of `out` tiles in row order, with dark lines between and around them.
// in = 3: tiles in RGB, mid-grey being 0. Else the first input channel alone, negative weights in blue, 0 in white,
// positive ones in red. One scale for all tiles, symmetric around 0. Weights that are not finite are yellow.
// InvalidArgument for another rank, an empty kernel, a dtype without numbers, a picture above 64 million pixels.
Picture draw_filters(const Tensor& kernel, const FilterPictureOptions& options = {});

// The same kernel at two times, `before` left and `after` right with a white gap between them, on one common scale, so
// that a kernel which grew or shrank looks like it. InvalidArgument where the shapes differ, too.
Picture draw_filters_before_after(const Tensor& before, const Tensor& after, FilterPictureOptions options = {});

}  // namespace vf::io
