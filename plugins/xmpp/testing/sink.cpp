#include "plugins/xmpp/testing/sink.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

namespace xmpp::testing {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='sink' from='sink'>";

std::string_view attribute(std::string_view tag, std::string_view name) {
  const std::string wanted = " " + std::string(name) + "='";
  const size_t at = tag.find(wanted);
  if (at == std::string_view::npos) return {};
  tag.remove_prefix(at + wanted.size());
  return tag.substr(0, tag.find('\''));
}

// Takes the first whole stanza of `rest`; empty: there is none yet.
std::string_view take(std::string_view& rest) {
  const size_t begin = rest.find('<');
  if (begin == std::string_view::npos) return rest = {}, std::string_view();
  const size_t tag_end = rest.find('>', begin);
  if (tag_end == std::string_view::npos) return {};
  size_t end = tag_end + 1;
  if (rest[tag_end - 1] != '/' && !rest.substr(begin).starts_with("<?") &&
      !rest.substr(begin).starts_with("<stream:") && !rest.substr(begin).starts_with("</")) {
    const std::string_view name = rest.substr(begin + 1, rest.find_first_of(" >", begin) - begin - 1);
    const std::string close = "</" + std::string(name) + ">";
    const size_t at = rest.find(close, tag_end);
    if (at == std::string_view::npos) return {};
    end = at + close.size();
  }
  const std::string_view stanza = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return stanza;
}

}  // namespace

Sink::Sink(SinkOptions options) : options_(options) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the sink cannot listen on loopback");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

Sink::~Sink() {
  is_ending_ = true;
  acceptor_.join();
  ::close(listener_);
}

void Sink::accept_all() {
  while (!is_ending_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 50) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) connections_.emplace_back([this, socket] { serve(socket); });
  }
  for (std::thread& connection : connections_) connection.join();
}

void Sink::serve(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string in, out;
  std::vector<char> buffer(256 * 1024);
  uint64_t receipts = 0;
  while (!is_ending_) {
    pollfd waiting{socket, POLLIN, 0};
    if (::poll(&waiting, 1, 50) <= 0) continue;
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (n <= 0) break;
    in.append(buffer.data(), static_cast<size_t>(n));
    std::string_view rest = in;
    for (std::string_view stanza = take(rest); !stanza.empty(); stanza = take(rest)) {
      const std::string_view tag = stanza.substr(0, stanza.find('>'));
      if (tag.starts_with("<stream:")) {
        out += kHeader;
      } else if (tag.starts_with("<handshake")) {
        out += "<handshake/>";
      } else if (tag.starts_with("<iq") && attribute(tag, "id").starts_with("gwb-")) {
        out += stanza;
      } else if (tag.starts_with("<message") || (tag.starts_with("<iq") && attribute(tag, "type") == "set")) {
        messages_.fetch_add(1);
        if (!options_.sends_receipts) continue;
        out.append("<message from='").append(attribute(tag, "to")).append("/sink' to='").append(attribute(tag, "from"));
        out.append("' id='r").append(std::to_string(++receipts)).append("'><received xmlns='urn:xmpp:receipts' id='");
        out.append(attribute(tag, "id")).append("'/></message>");
      }
    }
    in.erase(0, in.size() - rest.size());
    for (size_t at = 0; at < out.size();) {
      const ssize_t sent = ::send(socket, out.data() + at, out.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) break;
      at += static_cast<size_t>(sent);
    }
    out.clear();
  }
  ::close(socket);
}

}  // namespace xmpp::testing
