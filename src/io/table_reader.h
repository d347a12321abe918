#pragma once
// Sorted string tables: the format of LevelDB's .ldb files and of the .index files of checkpoints.
#include <functional>
#include <string_view>

#include "base/env.h"

namespace vf::io {

// Calls `visit` with every entry, in the order of keys. The views are valid during the call.
// DataLoss, naming the file and an offset, for anything that is not a whole, undamaged table with strictly ascending
// keys; entries before the damage may have been visited by then. Never allocates much more than the file's size:
// blocks lie inside of the file, one behind the other, and what compression and shared prefixes expand to is bounded.
void read_table(const RandomAccessFile& file, const std::function<void(std::string_view, std::string_view)>& visit);

}  // namespace vf::io
