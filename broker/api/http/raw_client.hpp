// RawClient: a blocking HTTP client for tests that sends exactly the bytes it is told and reads answers one by one. It
// parses answers by itself, so that our parser is not its own judge. Waits 10 s at most and then fails the test.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace godwit::http {

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

class RawClient {
 public:
  explicit RawClient(uint16_t port, const char* source = nullptr) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (source) {
      inet_pton(AF_INET, source, &address.sin_addr);
      EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    address.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  RawClient& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) break;  // the other side has closed: the test sees it when it reads
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return *this;
  }
  // As much as the socket takes without waiting.
  size_t send_some(std::string_view bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  void close_sending() { shutdown(fd_, SHUT_WR); }
  void close() {
    ::close(fd_);
    fd_ = -1;
  }

  // The next answer, whole. `head`: it has no body whatever its header says.
  RawAnswer read(bool head = false) {
    RawAnswer out = read_head();
    if (head || out.status == 204 || out.status / 100 == 1) return out;
    if (out.header("transfer-encoding") == "chunked") {
      while (const auto piece = read_chunk()) out.body += *piece;
    } else if (out.headers.count("content-length")) {
      const size_t n = std::strtoul(out.header("content-length").c_str(), nullptr, 10);
      fill([&] { return in_.size() >= n; });
      out.body = take(n);
    } else {
      while (more()) {
      }
      out.body = take(in_.size());
    }
    return out;
  }
  RawAnswer read_head() {
    RawAnswer out;
    size_t end = 0;
    fill([&] { return (end = in_.find("\r\n\r\n")) != in_.npos; });
    if (end == in_.npos) return out;
    std::string head = take(end + 4);
    out.status = std::atoi(head.c_str() + std::min<size_t>(head.size(), 9));
    size_t at = head.find("\r\n") + 2;
    while (at + 2 < head.size()) {
      const size_t eol = head.find("\r\n", at), colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      out.headers[name] = head.substr(colon + 2, eol - colon - 2);
      at = eol + 2;
    }
    return out;
  }
  // One chunk of a chunked body; nothing at its end.
  std::optional<std::string> read_chunk() {
    size_t eol = 0;
    fill([&] { return (eol = in_.find("\r\n")) != in_.npos; });
    if (eol == in_.npos) return std::nullopt;
    const size_t n = std::strtoul(take(eol + 2).c_str(), nullptr, 16);
    fill([&] { return in_.size() >= n + 2; });
    const std::string piece = take(n);
    take(2);
    if (n == 0) return std::nullopt;
    return piece;
  }
  // True when the other side closes without another byte.
  bool closed() { return in_.empty() && !more(); }

 private:
  template <class Done>
  void fill(Done done) {
    while (!done())
      if (!more()) return;
  }
  bool more() {
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, 10'000) != 1) {
      ADD_FAILURE() << "the server said nothing for 10 s; so far: " << in_;
      return false;
    }
    char bytes[65536];
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    in_.append(bytes, static_cast<size_t>(n));
    return true;
  }
  std::string take(size_t n) {
    std::string out = in_.substr(0, n);
    in_.erase(0, n);
    return out;
  }
  int fd_ = -1;
  std::string in_;
};

}  // namespace godwit::http
