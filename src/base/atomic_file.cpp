#include "base/atomic_file.h"

#include <random>

namespace vf {
namespace {

constexpr size_t kBlock = size_t{1} << 18;

}  // namespace

AtomicFile::AtomicFile(Env& env, const std::string& path) : env_(env), path_(path) {
  std::random_device random;
  for (int attempt = 0; !file_; ++attempt) {
    beside_ = path_ + ".tempstate" + std::to_string((uint64_t{random()} << 32) | random());
    try {
      file_ = env_.create(beside_, Env::Write::Exclusive);
    } catch (const Error& e) {
      if (e.code() != Code::AlreadyExists || attempt == 8) throw;
    }
  }
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  try {
    file_.reset();
    env_.remove(beside_);
  } catch (const std::exception&) {  // the caller is already handling what went wrong first
  }
}

void AtomicFile::append(const void* data, size_t n) {
  if (prepared_) throw Error(Code::FailedPrecondition, path_ + "; written already");
  if (pending_.size() + n > kBlock) flush();
  if (n >= kBlock) {
    write(data, n);
  } else {
    pending_.append(static_cast<const char*>(data), n);
  }
  size_ += n;
}

void AtomicFile::write(const void* data, size_t n) {
  failed_ = true;
  file_->append(data, n);
  failed_ = false;
}

void AtomicFile::flush() {
  if (pending_.empty()) return;
  write(pending_.data(), pending_.size());
  pending_.clear();
}

void AtomicFile::prepare() {
  if (prepared_) return;
  if (failed_) throw Error(Code::FailedPrecondition, path_ + "; not all of it could be written");
  flush();
  file_->sync();
  file_->close();
  prepared_ = true;
}

void AtomicFile::commit() {
  if (!file_) throw Error(Code::FailedPrecondition, path_ + "; committed already");
  prepare();
  env_.rename(beside_, path_);
  file_.reset();
  env_.sync_folder(folder_of(path_));
}

void write_file_atomically(Env& env, const std::string& path, std::string_view bytes) {
  AtomicFile file(env, path);
  file.append(bytes);
  file.commit();
}

}  // namespace vf
