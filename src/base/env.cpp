#include "base/env.h"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace vf {

Code code_of_errno(int error) {
  switch (error) {
    case ENOENT: return Code::NotFound;
    case EACCES:
    case EPERM:
    case EROFS: return Code::PermissionDenied;
    case EEXIST: return Code::AlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return Code::ResourceExhausted;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP: return Code::InvalidArgument;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EBUSY:
    case EXDEV:
    case ETXTBSY: return Code::FailedPrecondition;
    case EAGAIN:
    case ESTALE:
    case ETIMEDOUT: return Code::Unavailable;
    case EIO: return Code::DataLoss;
    default: return Code::Unknown;
  }
}

void throw_errno(int error, std::string_view path) {
  throw Error(code_of_errno(error), std::string(path) + "; " + std::generic_category().message(error));
}

void RandomAccessFile::read_exactly(uint64_t offset, void* to, size_t n) const {
  const size_t got = read(offset, to, n);
  if (got != n)
    throw Error(Code::OutOfRange, path() + "; Read less bytes than requested: " + std::to_string(got) + " of " +
                                      std::to_string(n) + " at offset " + std::to_string(offset));
}

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string file_name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder.empty() || (!name.empty() && name.front() == '/')) return std::string(name);
  std::string path(folder);
  if (path.back() != '/') path += '/';
  return path.append(name);
}

std::string read_file(Env& env, const std::string& path, uint64_t most) {
  const auto file = env.open(path);
  if (file->size() > most)
    throw Error(Code::ResourceExhausted, path + "; " + std::to_string(file->size()) + " bytes, more than the " +
                                             std::to_string(most) + " that are read");
  std::string bytes(file->size(), '\0');
  file->read_exactly(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace vf
