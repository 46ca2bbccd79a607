// A certificate for tests of TLS.
#pragma once

#include <string>

namespace selfconn::testing {

// A self-signed certificate for "localhost", made now, as PEM files that go away with the object.
class Certificate {
 public:
  Certificate();
  ~Certificate();
  // Another one in the same files, one file after the other: the certificate first, then its key.
  enum class Part { certificate, key };
  void renew(Part part);
  const std::string& cert_file() const { return cert_file_; }
  const std::string& key_file() const { return key_file_; }

 private:
  void make();

  std::string cert_file_, key_file_;
  int renewals_ = 0;
  std::string cert_pem_, key_pem_;  // the newest, perhaps not written yet
};

}  // namespace selfconn::testing
