#include "broker/storage/data_dir.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace godwit {

SpaceLevel space_level(DiskSpace space, const SpaceLimits& limits) {
  if (space.total_bytes == 0 || space.free_bytes >= limits.plenty_bytes) return SpaceLevel::plenty;
  const double share = static_cast<double>(space.free_bytes) / static_cast<double>(space.total_bytes);
  if (share < limits.outcomes_only) return SpaceLevel::outcomes_only;
  if (share < limits.urgent_only) return SpaceLevel::urgent_only;
  if (share < limits.no_bulk) return SpaceLevel::no_bulk;
  return SpaceLevel::plenty;
}

Result<std::unique_ptr<DataDir>> DataDir::open(const std::filesystem::path& path, uint64_t ballast_bytes) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed && !std::filesystem::is_directory(path)) {
    return Error{Code::io, "cannot create the data directory: " + failed.message() + "; create it or set data_dir",
                 path.string()};
  }
  std::unique_ptr<DataDir> dir(new DataDir(path, ballast_bytes));
  if (auto r = dir->take_lock(); !r) return std::move(r).error();
  if (auto r = dir->check_writable(); !r) return std::move(r).error();
  if (auto r = dir->lay_ballast(); !r) {
    spdlog::warn("{}: starting without ballast: {}", (path / "ballast").string(), r.error().message);
  }
  return dir;
}

// flock goes with the process, however it dies; the number inside is for people.
Result<void> DataDir::take_lock() {
  const std::filesystem::path file = path_ / "lock";
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) {
    const bool may_not = errno == EACCES || errno == EROFS;
    Error error = system_error("cannot create the lock file", file);
    if (may_not) error.message += "; give this user write access to the data directory";
    return error;
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error("cannot lock it", file);
    char holder[32] = {};
    const ssize_t n = ::pread(lock.get(), holder, sizeof holder - 1, 0);
    std::string process(holder, n > 0 ? static_cast<size_t>(n) : 0);
    while (!process.empty() && process.back() == '\n') process.pop_back();
    return Error{Code::conflict,
                 "locked by process " + (process.empty() ? "(unknown)" : process) +
                     ": another godwitd runs on it; stop that one or give this one another data_dir",
                 path_.string()};
  }
  const std::string process = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), process.data(), process.size(), 0) < 0) {
    // A full disk may refuse even this; the lock itself stands.
    spdlog::warn("{}: cannot note our process number", file.string());
  }
  lock_ = std::move(lock);
  return {};
}

Result<void> DataDir::check_writable() const {
  const std::filesystem::path probe = path_ / "write-check";
  const Descriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) {
    return system_error("cannot create files in the data directory; give this user write access to it", path_);
  }
  ::unlink(probe.c_str());
  return {};
}

Result<DiskSpace> DataDir::space() const {
  struct statvfs stat {};
  if (::statvfs(path_.c_str(), &stat) != 0) return system_error("asking for its free space", path_);
  return DiskSpace{uint64_t{stat.f_blocks} * stat.f_frsize, uint64_t{stat.f_bavail} * stat.f_frsize};
}

Result<void> DataDir::drop_ballast() {
  const std::filesystem::path file = path_ / "ballast";
  has_ballast_ = false;
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) return system_error("removing the ballast", file);
  return sync_directory(path_);
}

Result<void> DataDir::lay_ballast() {
  if (ballast_bytes_ == 0) return {};
  const std::filesystem::path path = path_ / "ballast";
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return system_error("creating the ballast", path);
  // Really allocated, not a hole; a size that was configured differently before is corrected.
  errno = ::posix_fallocate(file.get(), 0, static_cast<off_t>(ballast_bytes_));
  if (errno != 0 || ::ftruncate(file.get(), static_cast<off_t>(ballast_bytes_)) != 0) {
    Error error = system_error("laying the ballast", path);
    ::unlink(path.c_str());  // half a ballast would only make the disk fuller
    has_ballast_ = false;
    return error;
  }
  has_ballast_ = true;
  return {};
}

}  // namespace godwit
