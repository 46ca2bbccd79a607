#include "plugins/selfconn/stream/tls_files.hpp"

#include <utility>

namespace selfconn {

bool TlsFiles::Stamp::operator==(const Stamp& other) const {
  return inode == other.inode && size == other.size && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

// All zero for a file that is not there.
TlsFiles::Stamp TlsFiles::stamp_of(const std::string& file) {
  struct stat what {};
  if (::stat(file.c_str(), &what) != 0) return {};
  return {what.st_ino, what.st_size, what.st_mtim};
}

godwit::Result<TlsContext*> TlsFiles::load(std::string cert_file, std::string key_file) {
  cert_file_ = std::move(cert_file);
  key_file_ = std::move(key_file);
  cert_ = stamp_of(cert_file_);
  key_ = stamp_of(key_file_);
  return make();
}

godwit::Result<TlsContext*> TlsFiles::look() {
  // Before the files are read: what changes meanwhile is seen at the next look.
  const Stamp cert = stamp_of(cert_file_), key = stamp_of(key_file_);
  if (cert == cert_ && key == key_) return nullptr;
  cert_ = cert;
  key_ = key;
  return make();
}

godwit::Result<TlsContext*> TlsFiles::make() {
  auto context = TlsContext::load(cert_file_, key_file_);
  if (!context) return std::move(context).error();
  contexts_.push_back(std::move(*context));
  return contexts_.back().get();
}

}  // namespace selfconn
