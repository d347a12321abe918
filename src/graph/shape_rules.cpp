#include "graph/shape_rules.h"

#include <algorithm>

namespace vf::shape_rule {

void unchanged(ShapeContext& c) { c.set_output(0, c.input(0)); }

void scalar(ShapeContext& c) {
  for (int i = 0; i < c.node().num_outputs(); ++i) c.set_output(i, Shape{});
}

void none(ShapeContext&) {}

Shape broadcast_shapes(ShapeContext& c, const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank()) return Shape::unknown();
  const int rank = std::max(a.rank(), b.rank());
  Shape result = Shape::of_rank(rank);
  for (int i = 1; i <= rank; ++i) {
    const int64_t x = i <= a.rank() ? a.dim(-i) : 1;
    const int64_t y = i <= b.rank() ? b.dim(-i) : 1;
    int64_t size = Shape::kUnknown;
    if (x == 1)
      size = y;
    else if (y == 1)
      size = x;
    else if (x < 0)
      size = y;
    else if (y < 0 || x == y)
      size = x;
    else
      c.fail("Dimensions must be equal, but are " + std::to_string(x) + " and " + std::to_string(y));
    result.set_dim(-i, size);
  }
  return result;
}

void broadcast(ShapeContext& c) { c.set_output(0, broadcast_shapes(c, c.input(0), c.input(1))); }

Shape merge(ShapeContext& c, const Shape& a, const Shape& b) {
  try {
    return a.merged(b);
  } catch (const Error& e) {
    c.fail(e.what());
  }
}

void merged(ShapeContext& c) {
  Shape s = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) s = merge(c, s, c.input(i));
  c.set_output(0, s);
}

void from_attr(ShapeContext& c) { c.set_output(0, c.attr<Shape>("shape")); }

Shape shape_from_input(ShapeContext& c, int i) {
  const auto sizes = c.constant_ints(i);
  if (!sizes) {
    const Shape& s = c.input(i);
    return s.has_rank() && s.rank() == 1 && s[0] >= 0 && s[0] <= Shape::kMaxRank
               ? Shape::of_rank(static_cast<int>(s[0]))
               : Shape::unknown();
  }
  for (int64_t d : *sizes)
    if (d < -1) c.fail("Dimension " + std::to_string(d) + " must be >= 0");
  if (sizes->size() > static_cast<size_t>(Shape::kMaxRank)) c.fail("at most 8 dimensions are supported");
  return Shape(std::span<const int64_t>(*sizes));
}

}  // namespace vf::shape_rule
