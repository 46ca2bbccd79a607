#include "broker/channels/plugin_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>

#include "broker/base/encoding.hpp"

namespace godwit::channels {
namespace fs = std::filesystem;
namespace {

constexpr off_t kMaxBytes = 256 << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

Error io(const fs::path& file, std::string_view what) {
  return {Code::io, file.string() + ": " + std::string(what) + ": " + std::strerror(errno), file.string()};
}

Result<std::string> read_all(int fd, const fs::path& file, off_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = read(fd, bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io(file, "cannot be read");
    if (got == 0) return Error{Code::io, file.string() + ": became shorter while it was read", file.string()};
    at += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace

fs::path default_plugin_folder() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "lib" / "godwit";
}

Result<fs::path> find_plugin(std::string_view name, const std::vector<fs::path>& folders) {
  if (name.find('/') != std::string_view::npos || name.ends_with(".so")) return fs::path(name);
  std::string looked_in;
  for (const fs::path& folder : folders) {
    const fs::path file = folder / (std::string(name) + ".so");
    std::error_code ignored;
    if (fs::exists(file, ignored)) return file;
    looked_in += (looked_in.empty() ? "" : ", ") + folder.string();
  }
  return Error{Code::not_found,
               "there is no plugin '" + std::string(name) + "': looked for " + std::string(name) + ".so in " +
                   looked_in + "; give the path to a .so for a plugin elsewhere",
               "plugin"};
}

Result<PluginBytes> read_plugin(const fs::path& file) {
  const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return io(file, "cannot be opened");
  struct stat st {};
  if (fstat(fd.get(), &st) != 0) return io(file, "cannot be examined");
  const auto refuse = [&](std::string text) {
    return Error{Code::forbidden, file.string() + ": " + text, file.string()};
  };
  if (!S_ISREG(st.st_mode)) return refuse("is no regular file");
  if (st.st_uid != 0 && st.st_uid != geteuid())
    return refuse("belongs to user " + std::to_string(st.st_uid) +
                  "; plugins must belong to root or to the broker's user");
  if (st.st_mode & (S_IWGRP | S_IWOTH)) return refuse("can be written by others; run: chmod go-w " + file.string());
  if (st.st_size < 64 || st.st_size > kMaxBytes)
    return refuse("has " + std::to_string(st.st_size) + " bytes, which is no plugin");
  Result<std::string> bytes = read_all(fd.get(), file, st.st_size);
  if (!bytes) return std::move(bytes).error();
  PluginBytes plugin{std::move(*bytes), {}};
  plugin.sha256_hex = to_hex(sha256(plugin.bytes));
  return plugin;
}

Result<void> prepare_run_folder(const fs::path& folder) {
  std::error_code fault;
  fs::create_directories(folder, fault);
  if (fault) return Error{Code::io, folder.string() + ": cannot be made: " + fault.message(), folder.string()};
  if (chmod(folder.c_str(), 0700) != 0) return io(folder, "cannot be made private");
  for (const fs::directory_entry& old : fs::directory_iterator(folder, fault))
    if (old.path().extension() == ".so") fs::remove(old.path(), fault);
  struct statvfs vfs {};
  if (statvfs(folder.c_str(), &vfs) == 0 && (vfs.f_flag & ST_NOEXEC))
    return Error{Code::io,
                 folder.string() +
                     ": is on a file system mounted noexec, plugins cannot be loaded from it; "
                     "put data_dir elsewhere",
                 folder.string()};
  return {};
}

Result<fs::path> copy_plugin(const PluginBytes& plugin, std::string_view stem, const fs::path& folder, unsigned n) {
  const fs::path file =
      folder / (std::string(stem) + "-" + plugin.sha256_hex.substr(0, 8) + "-" + std::to_string(n) + ".so");
  const Descriptor fd(open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0500));
  if (fd.get() < 0) return io(file, "cannot be made");
  size_t at = 0;
  while (at < plugin.bytes.size()) {
    const ssize_t put = write(fd.get(), plugin.bytes.data() + at, plugin.bytes.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io(file, "cannot be written");
    at += static_cast<size_t>(put);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return io(file, "cannot be read back");
  Result<std::string> again = read_all(fd.get(), file, static_cast<off_t>(plugin.bytes.size()));
  if (!again) return std::move(again).error();
  if (*again != plugin.bytes)
    return Error{Code::io, file.string() + ": reads back differently from what was written", file.string()};
  return file;
}

}  // namespace godwit::channels
