#include "bench/support/ndjson_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace godwit::bench {
namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) die("send");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

// Counts answer lines in the raw (chunked) stream: every line of ours begins with {"index": and names either its
// message_id or an error.
void read_answers(int fd, NdjsonResult& result) {
  std::string rest;
  char buffer[256 << 10];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    rest.append(buffer, static_cast<size_t>(n));
    size_t start = 0;
    for (size_t end; (end = rest.find('\n', start)) != std::string::npos; start = end + 1) {
      const std::string_view line = std::string_view(rest).substr(start, end - start);
      if (line.find("\"message_id\"") != std::string_view::npos) {
        ++result.accepted;
      } else if (line.find("\"error\"") != std::string_view::npos) {
        if (!result.refused++) result.first_refusal = line;
      }
    }
    rest.erase(0, start);
  }
}

}  // namespace

NdjsonResult stream_batch(int port, const std::string& key, const std::function<bool(std::string& out)>& next) {
  const int fd = connect_to(port);
  send_all(fd, "POST /v1/messages/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key +
                   "\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  NdjsonResult result;
  std::thread reader([&] { read_answers(fd, result); });
  std::string piece, chunk;
  while (next(piece)) {
    char head[32];
    chunk.assign(head, static_cast<size_t>(std::snprintf(head, sizeof head, "%zx\r\n", piece.size())));
    chunk += piece;
    chunk += "\r\n";
    send_all(fd, chunk);
    piece.clear();
  }
  send_all(fd, "0\r\n\r\n");
  reader.join();
  close(fd);
  return result;
}

std::string http_call(int port, const std::string& request) {
  const int fd = connect_to(port);
  send_all(fd, request);
  std::string answer;
  char buffer[64 << 10];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  close(fd);
  return answer;
}

}  // namespace godwit::bench
