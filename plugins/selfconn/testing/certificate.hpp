// A certificate for tests of TLS.
#pragma once

#include <string>

namespace selfconn::testing {

// A self-signed certificate for "localhost", made now, as PEM files that go away with the object.
class Certificate {
 public:
  Certificate();
  ~Certificate();
  const std::string& cert_file() const { return cert_file_; }
  const std::string& key_file() const { return key_file_; }

 private:
  std::string cert_file_, key_file_;
};

}  // namespace selfconn::testing
