#pragma once
#include <stdexcept>
#include <string>

#include "varflow/export.h"

namespace vf {

// TensorFlow's canonical codes, with its numbers.
enum class Code : int {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

// "InvalidArgument", "NotFound", ...
VF_API const char* code_name(Code code);

// The one exception type of the library. what() is the whole text; where a node is to blame it starts with
// "[OpType node/name] ". The library never prints and never aborts.
class VF_API Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // Prefixes the message with "[op node] ".
  Error(Code code, const std::string& op, const std::string& node, const std::string& message);
  Code code() const { return code_; }
  // Name of the node to blame, empty where there is none.
  const std::string& node() const { return node_; }

 private:
  Code code_;
  std::string node_;
};

}  // namespace vf
