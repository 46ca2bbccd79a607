#include "bench/xmpp/raw_sender.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>
#include <godwit/hex.hpp>

#include <chrono>
#include <stdexcept>
#include <vector>

#include "plugins/xmpp/link/connection.hpp"
#include "plugins/xmpp/login/crypto.hpp"

namespace godwit::bench {
namespace {

class Link {
 public:
  explicit Link(const std::string& server) {
    std::string error;
    const auto addresses = xmpp::resolve(server, false, error);
    if (addresses.empty()) throw std::runtime_error(server + ": " + error);
    socket_ = ::socket(addresses[0].storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&addresses[0].storage), addresses[0].size) != 0)
      throw std::runtime_error(server + ": cannot connect");
  }
  ~Link() { ::close(socket_); }

  // Writes all, and reads what comes meanwhile: a server may wait for its reader.
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd waiting{socket_, POLLIN | POLLOUT, 0};
      ::poll(&waiting, 1, -1);
      if (waiting.revents & POLLIN) read();
      if (!(waiting.revents & POLLOUT)) continue;
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void wait_for(const std::string& text) {
    while (heard_.find(text) == std::string::npos) read();
  }
  const std::string& heard() const { return heard_; }

 private:
  void read() {
    char buffer[64 * 1024];
    const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
    if (n <= 0) throw std::runtime_error("the server closed the link: " + heard_.substr(0, 500));
    if (heard_.size() > 1'000'000) heard_.erase(0, heard_.size() - 1000);
    heard_.append(buffer, static_cast<size_t>(n));
  }
  int socket_;
  std::string heard_;
};

}  // namespace

double raw_messages_per_second(const std::string& server, const std::string& jid, const std::string& secret,
                               const std::string& stanza, uint64_t count) {
  Link link(server);
  link.write(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='" +
      jid + "'>");
  link.wait_for("<stream:stream");
  link.wait_for(" id='");
  const size_t at = link.heard().find(" id='", link.heard().find("<stream:stream")) + 5;
  const std::string id = link.heard().substr(at, link.heard().find('\'', at) - at);
  link.write("<handshake>" + godwit::lower_hex(xmpp::digest(xmpp::Hash::sha1, id + secret)) + "</handshake>");
  link.wait_for("<handshake");

  std::string piece;
  for (int i = 0; i < 100; ++i) piece += stanza;
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t sent = 0; sent < count; sent += 100) link.write(piece);
  link.write("<iq type='get' id='gwb-last' from='" + jid + "' to='" + jid + "'><ping xmlns='urn:xmpp:ping'/></iq>");
  link.wait_for("gwb-last");
  return static_cast<double>(count) / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace godwit::bench
