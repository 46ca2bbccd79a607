// TlsFiles keeps a gateway's TLS context in step with its certificate and key: certificates live for weeks, connections
// and the broker longer. Connections that are there keep what they agreed on.
//
// Renewal programs replace two files one after the other. Between the two the pair does not fit: that is an error of
// one look, the old context stays, and the next look sees the second file. Contexts that were replaced stay until the
// end, for a handshake may still use them; there is one for each renewal. One thread; the contexts themselves as
// tls.hpp says.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/tls.hpp"

namespace selfconn {

class TlsFiles {
 public:
  // The first context.
  godwit::Result<TlsContext*> load(std::string cert_file, std::string key_file);
  // The context of files that have changed since the last look; null when they have not. An error is given once for
  // each change. REQUIRES: load() succeeded.
  godwit::Result<TlsContext*> look();

 private:
  struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    timespec changed{};
    bool operator==(const Stamp& other) const;
  };
  static Stamp stamp_of(const std::string& file);
  godwit::Result<TlsContext*> make();

  std::string cert_file_, key_file_;
  Stamp cert_, key_;
  std::vector<std::unique_ptr<TlsContext>> contexts_;  // the last one is in use
};

}  // namespace selfconn
