// TlsServer: a real TLS server on loopback that answers every request with 200 and the subject of the client's
// certificate ("none" without one). And certificates for it, made on the spot.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace godwit::net::testing {

struct TestCertificate {
  std::string certificate_pem, key_pem;
};
// Self-signed, for `name` as DNS name and for 127.0.0.1; its own CA.
TestCertificate make_certificate(const std::string& name);

class TlsServer {
 public:
  explicit TlsServer(const TestCertificate& certificate);
  ~TlsServer();
  // "https://<host>:port"
  std::string origin(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port_);
  }

 private:
  void serve();
  int listener_ = -1;
  int port_ = 0;
  void* context_ = nullptr;  // SSL_CTX
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace godwit::net::testing
