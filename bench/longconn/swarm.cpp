#include "bench/longconn/swarm.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace godwit::bench {
namespace {

constexpr size_t kInput = 256 * 1024;
constexpr int kPerAddress = 20'000;  // a source address has 28,000 ports

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "longconn: %s\n", what.c_str());
  std::exit(1);
}

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

void put16(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
void put_text(std::string& out, std::string_view text) {
  put16(out, text.size());
  out += text;
}
std::string with_head(uint8_t first, const std::string& body) {
  std::string out(1, static_cast<char>(first));
  size_t size = body.size();
  do {
    const auto low = static_cast<uint8_t>(size & 0x7F);
    size >>= 7;
    out += static_cast<char>(size ? low | 0x80 : low);
  } while (size);
  return out + body;
}

std::string connect_packet(const Swarm::Login& login) {
  std::string body;
  put_text(body, "MQTT");
  body += '\4';
  body += static_cast<char>(login.user.empty() ? 0x02 : 0xC2);
  put16(body, 1800);
  put_text(body, login.client_id);
  if (!login.user.empty()) put_text(body, login.user), put_text(body, login.password);
  return with_head(0x10, body);
}

}  // namespace

struct Swarm::Device {
  int fd = -1;
  SSL* ssl = nullptr;
  uint32_t index = 0;
  bool is_up = false, in_handshake = false;
  std::string rest;    // of a packet
  std::string unsent;  // while the handshake lasts
};

Swarm::Swarm(int port, bool is_tls) : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)), input_(kInput) {
  if (!is_tls) return;
  tls_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(tls_, SSL_MODE_RELEASE_BUFFERS);
}

Swarm::~Swarm() {
  disconnect();
  if (tls_) SSL_CTX_free(tls_);
  close(epoll_);
}

bool Swarm::start(uint32_t index) {
  Device& d = devices_[index];
  d.index = index;
  d.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (d.fd < 0) die("no socket left; see ulimit -n");
  const int one = 1;
  setsockopt(d.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(d.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  sockaddr_in own{}, peer{};
  own.sin_family = peer.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index / kPerAddress);
  bind(d.fd, reinterpret_cast<sockaddr*>(&own), sizeof own);
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer.sin_port = htons(static_cast<uint16_t>(port_));
  if (::connect(d.fd, reinterpret_cast<sockaddr*>(&peer), sizeof peer) != 0 && errno != EINPROGRESS)
    die(std::string("connect: ") + std::strerror(errno));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.u32 = index;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, d.fd, &event);
  if (tls_) {
    d.ssl = SSL_new(tls_);
    SSL_set_fd(d.ssl, d.fd);
    SSL_set_connect_state(d.ssl);
  }
  d.in_handshake = true;  // of TCP or TLS
  d.unsent = connect_packet(logins_[index]);
  return true;
}

double Swarm::connect(std::vector<Login> logins, size_t at_once) {
  logins_ = std::move(logins);
  devices_ = std::vector<Device>(logins_.size());
  connected_ = 0;
  const auto begun = Clock::now();
  auto progress = begun;
  uint32_t started = 0;
  for (size_t before = 0; connected_ < devices_.size(); before = connected_) {
    while (started < devices_.size() && started - connected_ < at_once) start(started++);
    turn(100);
    if (connected_ > before) progress = Clock::now();
    if (Clock::now() - progress > std::chrono::seconds(20)) die("no connection was accepted in 20 s");
  }
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void Swarm::subscribe(const std::string& prefix) {
  subscribed_ = 0;
  for (Device& d : devices_) {
    std::string body;
    put16(body, 1);
    put_text(body, prefix + logins_[d.index].client_id);
    body += '\1';
    send(d, with_head(0x82, body));
  }
  while (subscribed_ < devices_.size()) turn(100);
}

void Swarm::disconnect(bool politely) {
  for (Device& d : devices_) {
    if (d.fd < 0) continue;
    if (politely && d.is_up) send(d, std::string("\xE0\0", 2));
    if (d.ssl) SSL_free(d.ssl);
    close(d.fd);
    d.fd = -1;
  }
  devices_.clear();
}

size_t Swarm::size() const {
  return devices_.size();
}

void Swarm::reset() {
  received_ = 0;
  begun_ = last_ = Clock::now();
  latencies_us_.clear();
}

bool Swarm::run_until(uint64_t count, std::chrono::seconds patience) {
  auto progress = Clock::now();
  for (uint64_t before = received_; received_ < count; before = received_) {
    pump_feed();
    turn(feed_.count > fed_ && feed_.per_second > 0 ? 1 : 100);
    const auto now = Clock::now();
    if (received_ > before) progress = now;
    if (now - progress > patience) return false;
  }
  return true;
}

void Swarm::pump_feed() {
  if (fed_ >= feed_.count) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - feed_begun_).count();
  const uint64_t due =
      feed_.per_second > 0 ? std::min(feed_.count, static_cast<uint64_t>(seconds * feed_.per_second)) : feed_.count;
  std::string out;
  for (; fed_ < due && fed_ < fed_acks_ + feed_.window; ++fed_) {
    std::string body;
    put_text(body, feed_.topic(fed_));
    put16(body, fed_ % 65'000 + 1);
    out += with_head(0x32, body + stamped_content(due_ns(feed_begun_, fed_, feed_.per_second)));
  }
  if (!out.empty()) send(devices_[0], out);
}

void Swarm::turn(int timeout_ms) {
  std::array<epoll_event, 512> events;
  const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < n; ++i) on_event(events[static_cast<size_t>(i)].data.u32, events[static_cast<size_t>(i)].events);
}

void Swarm::on_event(uint32_t index, uint32_t events) {
  Device& d = devices_[index];
  if (d.fd < 0) return;
  if (d.in_handshake) {
    if (events & (EPOLLERR | EPOLLHUP)) die("a connection was refused");
    if (d.ssl) {
      const int done = SSL_do_handshake(d.ssl);
      const int error = done == 1 ? 0 : SSL_get_error(d.ssl, done);
      if (done != 1 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)) return;
      if (done != 1) die("a TLS handshake failed");
    } else if (!(events & EPOLLOUT)) {
      return;
    }
    d.in_handshake = false;
  }
  if (!d.unsent.empty()) {
    std::string bytes;
    bytes.swap(d.unsent);
    send(d, bytes);
  }
  read(d);
}

void Swarm::send(Device& d, std::string_view bytes) {
  if (!d.unsent.empty()) {
    d.unsent += bytes;
    return;
  }
  while (!bytes.empty()) {
    ssize_t n = d.ssl ? SSL_write(d.ssl, bytes.data(), static_cast<int>(bytes.size()))
                      : ::send(d.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) {
      d.unsent = bytes;
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void Swarm::read(Device& d) {
  for (;;) {
    const size_t kept = d.rest.size();
    std::memcpy(input_.data(), d.rest.data(), kept);
    const size_t room = input_.size() - kept;
    const ssize_t n = d.ssl ? SSL_read(d.ssl, input_.data() + kept, static_cast<int>(room))
                            : ::recv(d.fd, input_.data() + kept, room, MSG_DONTWAIT);
    if (n < 0 && (d.ssl || errno == EAGAIN)) return;
    if (n <= 0) die("device " + logins_[d.index].client_id + ": the server closed the connection");
    const size_t size = kept + static_cast<size_t>(n);
    size_t done = 0;
    std::string acks;
    while (size_t taken = packet(d, input_.data() + done, size - done)) {
      const uint8_t* at = input_.data() + done;
      if ((*at & 0xF0) == 0x30 && (*at & 0x06)) {  // its PUBACK
        const size_t head = at[1] & 0x80 ? (at[2] & 0x80 ? 4 : 3) : 2;
        const size_t topic = static_cast<size_t>(at[head]) << 8 | at[head + 1];
        const char ack[4] = {0x40, 2, static_cast<char>(at[head + 2 + topic]), static_cast<char>(at[head + 3 + topic])};
        acks.append(ack, 4);
      }
      done += taken;
    }
    d.rest.assign(reinterpret_cast<const char*>(input_.data() + done), size - done);
    if (!acks.empty()) send(d, acks);
    if (!d.ssl && static_cast<size_t>(n) < room) return;
  }
}

// Handles the packet at the front; returns its size, 0 when it is not complete.
size_t Swarm::packet(Device& d, const uint8_t* at, size_t size) {
  if (size < 2) return 0;
  size_t length = 0, head = 1;
  for (int shift = 0;; shift += 7) {
    if (head >= size) return 0;
    const uint8_t byte = at[head++];
    length |= static_cast<size_t>(byte & 0x7F) << shift;
    if (!(byte & 0x80)) break;
  }
  if (head + length > size) return 0;
  switch (*at >> 4) {
    case 2:
      if (at[3] != 0) die("CONNACK " + std::to_string(at[3]) + " for " + logins_[d.index].client_id);
      d.is_up = true;
      ++connected_;
      break;
    case 3: {
      ++received_;
      last_ = Clock::now();
      const std::string_view text(reinterpret_cast<const char*>(at), head + length);
      const size_t stamp = text.find("\"t\":\"");
      if (stamp != std::string_view::npos) {
        const uint64_t sent = std::strtoull(text.data() + stamp + 5, nullptr, 10);
        latencies_us_.push_back(static_cast<uint32_t>((now_ns() - sent) / 1000));
      }
      break;
    }
    case 4:
      ++fed_acks_;
      break;
    case 9:
      ++subscribed_;
      break;
    default:
      die("an unexpected packet of type " + std::to_string(*at >> 4));
  }
  return head + length;
}

double Swarm::latency_us(double quantile) {
  if (latencies_us_.empty()) return 0;
  std::sort(latencies_us_.begin(), latencies_us_.end());
  const auto at = static_cast<size_t>(quantile * static_cast<double>(latencies_us_.size() - 1));
  return latencies_us_[at];
}

uint64_t due_ns(Swarm::Clock::time_point begun, uint64_t n, double per_second) {
  if (per_second <= 0) return 0;
  return static_cast<uint64_t>(begun.time_since_epoch().count()) +
         static_cast<uint64_t>(static_cast<double>(n) / per_second * 1e9);
}

std::string stamped_content(uint64_t ns) {
  return R"({"notification":{"title":"New order","body":"Flat viewing at 15:00"},"data":{"t":")" +
         std::to_string(ns ? ns : now_ns()) + "\"}}";
}

}  // namespace godwit::bench
