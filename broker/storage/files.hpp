// Whole small files, durably: what the storage folder does to the disk outside SQLite.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "broker/base/result.hpp"

namespace godwit {

Error system_error(std::string_view doing, const std::filesystem::path& path);  // from errno; ENOSPC is Code::no_space

// The file's first `max_bytes`; SIZE_MAX is all of it.
Result<std::string> read_file(const std::filesystem::path& path, size_t max_bytes);

// Writes beside, flushes, renames: after a crash there is the old content or the new one.
Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes);

Result<void> sync_file(const std::filesystem::path& path);
// Makes creations, renames and removals inside durable.
Result<void> sync_directory(const std::filesystem::path& path);

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace godwit
