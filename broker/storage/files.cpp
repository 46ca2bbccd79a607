#include "broker/storage/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace godwit {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error system_error(std::string_view doing, const std::filesystem::path& path) {
  const int error = errno;
  const Code code = error == ENOSPC || error == EDQUOT ? Code::no_space : error == ENOENT ? Code::not_found : Code::io;
  return Error{code, std::string(doing) + ": " + std::generic_category().message(error), path.string()};
}

Result<std::string> read_file(const std::filesystem::path& path, size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("opening it", path);
  std::string out;
  char buffer[64 << 10];
  while (out.size() < max_bytes) {
    const ssize_t n = ::read(file.get(), buffer, std::min(sizeof buffer, max_bytes - out.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("reading it", path);
    if (n == 0) break;
    out.append(buffer, static_cast<size_t>(n));
  }
  return out;
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path beside = path.string() + ".new";
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return system_error("creating it", beside);
    while (!bytes.empty()) {
      const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("writing it", beside);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (::fdatasync(file.get()) != 0) return system_error("flushing it", beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return system_error("renaming it into place", beside);
  return sync_directory(path.parent_path());
}

Result<void> sync_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return system_error("opening it", path);
  if (::fsync(file.get()) != 0) return system_error("flushing it", path);
  return {};
}

Result<void> sync_directory(const std::filesystem::path& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error("opening the directory", path);
  if (::fsync(directory.get()) != 0) return system_error("flushing the directory", path);
  return {};
}

}  // namespace godwit
