#include "cpu/reduce.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/parallel.h"
#include "cpu/elementwise.h"
#include "cpu/reduce_kernels.h"
#include "varflow/error.h"

namespace vf::cpu {

VF_ISA_TABLES(ReduceKernels, reduce_kernels)

namespace {

// Cut into segments what has less than this many independent results, in pieces of at least kSegment values.
constexpr int64_t kFew = 16;
constexpr int64_t kSegment = 16384;
constexpr int64_t kMostSegments = 16;
// Segments start at whole blocks of the joining tree (1,024 values of a run; rows: see columns()).
constexpr int64_t kBlock = 1024;

DType partial_dtype(DType dtype) { return dtype == DType::Half || dtype == DType::BFloat16 ? DType::Float : dtype; }

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

ReducePlan::ReducePlan(ReduceOp op, DType dtype, const Shape& shape, std::span<const int64_t> axes, bool keep_dims,
                       Isa isa)
    : op_(op),
      dtype_(dtype),
      first_(reduce_kernels(isa).loops(op, dtype)),
      next_(reduce_kernels(isa).loops(op, partial_dtype(dtype))) {
  if (!first_) throw Error(Code::Unimplemented, std::string("no such reduction of ") + dtype_name(dtype));
  std::array<bool, Shape::kMaxRank> reduced{};
  for (int64_t axis : axes) {
    if (axis < -shape.rank() || axis >= shape.rank())
      throw Error(Code::InvalidArgument, "Invalid reduction dimension (" + std::to_string(axis) + " for input with " +
                                             std::to_string(shape.rank()) + " dimension(s)");
    reduced[static_cast<size_t>(axis < 0 ? axis + shape.rank() : axis)] = true;
  }
  // Dimensions of more than one element, neighbours of the same fate merged.
  std::vector<std::pair<int64_t, bool>> merged;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool joins = reduced[static_cast<size_t>(i)];
    (joins ? joined_ : results_) *= shape[i];
    if (!joins) shape_.add_dim(shape[i]);
    if (joins && keep_dims) shape_.add_dim(1);
    if (shape[i] == 1) continue;
    if (!merged.empty() && merged.back().second == joins)
      merged.back().first *= shape[i];
    else
      merged.emplace_back(shape[i], joins);
  }
  if (results_ == 0) return;
  const bool nothing = std::none_of(merged.begin(), merged.end(), [](const auto& dim) { return dim.second; });
  if (joined_ == 0 || nothing) {
    add_pass(results_, joined_, 1);
  } else {
    int64_t inner = 1;
    for (size_t i = merged.size(); i-- > 0;) {
      if (!merged[i].second) {
        inner *= merged[i].first;
        continue;
      }
      int64_t outer = 1;
      for (size_t k = 0; k < i; ++k) outer *= merged[k].first;
      add_pass(outer, merged[i].first, inner);
    }
  }
  const size_t size = dtype_size(partial_dtype(dtype));
  for (size_t i = 0; i < passes_.size(); ++i) {
    const Pass& pass = passes_[i];
    const auto results = static_cast<size_t>(pass.outer * pass.inner);
    if (pass.segments > 1)
      partial_bytes_ = std::max(partial_bytes_, aligned(results * static_cast<size_t>(pass.segments) * size));
    // The last pass writes into y where that has the type of partial results.
    if (i + 1 < passes_.size() || partial_dtype(dtype) != dtype)
      between_bytes_ = std::max(between_bytes_, aligned(results * size));
  }
  scratch_bytes_ = partial_bytes_ + 2 * between_bytes_;
}

void ReducePlan::add_pass(int64_t outer, int64_t count, int64_t inner) {
  Pass pass{outer, count, inner, 1, count};
  const int64_t pieces = outer * ((inner + kColumns - 1) / kColumns);
  const int64_t most = std::min(kMostSegments, count * inner / kSegment);
  if (pieces < kFew && most > 1) {
    const int64_t each = (count + most - 1) / most;
    pass.segment_count = inner == 1 ? (each + kBlock - 1) / kBlock * kBlock : each;
    pass.segments = (count + pass.segment_count - 1) / pass.segment_count;
  }
  passes_.push_back(pass);
}

void ReducePlan::run(const void* x, void* y, void* scratch, int threads) const {
  if (results_ == 0) return;
  char* partial = static_cast<char*>(scratch);
  char* between[2] = {partial + partial_bytes_, partial + partial_bytes_ + between_bytes_};
  const bool same_type = partial_dtype(dtype_) == dtype_;
  const char* from = static_cast<const char*>(x);
  for (size_t i = 0; i < passes_.size(); ++i) {
    char* to = same_type && i + 1 == passes_.size() ? static_cast<char*>(y) : between[i % 2];
    run_pass(passes_[i], i == 0, from, to, partial, threads);
    from = to;
  }
  const int64_t divisor = op_ == ReduceOp::Mean ? joined_ : 1;
  if (!same_type || divisor != 1) first_->finish(from, y, results_, divisor);
}

void ReducePlan::run_pass(const Pass& pass, bool first, const char* x, char* y, char* partial, int threads) const {
  const auto run = [&](const Pass& p, bool f, const char* from, char* to) {
    if (p.inner == 1)
      run_rows(p, f, from, to, threads);
    else
      run_columns(p, f, from, to, threads);
  };
  if (pass.segments == 1) return run(pass, first, x, y);
  run(pass, first, x, partial);
  run({pass.outer, pass.segments, pass.inner, 1, pass.segments}, false, partial, y);
}

void ReducePlan::run_rows(const Pass& pass, bool first, const char* x, char* y, int threads) const {
  const ReduceLoops& loops = first ? *first_ : *next_;
  const auto size_x = static_cast<int64_t>(dtype_size(first ? dtype_ : partial_dtype(dtype_)));
  const auto size_y = static_cast<int64_t>(dtype_size(partial_dtype(dtype_)));
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, pass.segment_count));
  parallel_for(threads, pass.outer * pass.segments, grain, [&](int64_t begin, int64_t end) {
    if (pass.segments == 1)
      return loops.rows(x + begin * pass.count * size_x, y + begin * size_y, end - begin, pass.count, pass.count);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % pass.segments * pass.segment_count;
      loops.rows(x + (i / pass.segments * pass.count + from) * size_x, y + i * size_y, 1,
                 std::min(pass.segment_count, pass.count - from), 0);
    }
  });
}

void ReducePlan::run_columns(const Pass& pass, bool first, const char* x, char* y, int threads) const {
  const ReduceLoops& loops = first ? *first_ : *next_;
  const auto size_x = static_cast<int64_t>(dtype_size(first ? dtype_ : partial_dtype(dtype_)));
  const auto size_y = static_cast<int64_t>(dtype_size(partial_dtype(dtype_)));
  const int64_t tiles = (pass.inner + kColumns - 1) / kColumns;
  const int64_t work = std::max<int64_t>(1, pass.segment_count * std::min(pass.inner, kColumns));
  parallel_for(threads, pass.outer * pass.segments * tiles, std::max<int64_t>(1, kGrain / work),
               [&](int64_t begin, int64_t end) {
                 for (int64_t item = begin; item < end; ++item) {
                   const int64_t column = item % tiles * kColumns;
                   const int64_t segment = item / tiles % pass.segments;
                   const int64_t outer = item / tiles / pass.segments;
                   const int64_t from = segment * pass.segment_count;
                   loops.columns(x + ((outer * pass.count + from) * pass.inner + column) * size_x,
                                 y + ((outer * pass.segments + segment) * pass.inner + column) * size_y,
                                 std::min(pass.segment_count, pass.count - from),
                                 std::min(kColumns, pass.inner - column), pass.inner);
                 }
               });
}

namespace {

void arg_extreme(bool greatest, DType dtype, const void* x, DType index_dtype, void* y, int64_t outer, int64_t count,
                 int64_t inner, int threads, Isa isa) {
  const ArgLoop loop = reduce_kernels(isa).arg(greatest, dtype, index_dtype);
  if (!loop) throw Error(Code::Unimplemented, std::string("no order of ") + dtype_name(dtype));
  const auto size_x = static_cast<int64_t>(dtype_size(dtype));
  const auto size_y = static_cast<int64_t>(dtype_size(index_dtype));
  const int64_t tiles = (inner + kColumns - 1) / kColumns;
  const int64_t work = std::max<int64_t>(1, count * std::min(inner, kColumns));
  parallel_for(threads, outer * tiles, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t column = item % tiles * kColumns;
      const int64_t row = item / tiles;
      loop(static_cast<const char*>(x) + (row * count * inner + column) * size_x,
           static_cast<char*>(y) + (row * inner + column) * size_y, count, inner, std::min(kColumns, inner - column));
    }
  });
}

}  // namespace

void arg_max(DType dtype, const void* x, DType index_dtype, void* y, int64_t outer, int64_t count, int64_t inner,
             int threads, Isa isa) {
  arg_extreme(true, dtype, x, index_dtype, y, outer, count, inner, threads, isa);
}

void arg_min(DType dtype, const void* x, DType index_dtype, void* y, int64_t outer, int64_t count, int64_t inner,
             int threads, Isa isa) {
  arg_extreme(false, dtype, x, index_dtype, y, outer, count, inner, threads, isa);
}

}  // namespace vf::cpu
