#include "broker/net/resolver.hpp"

#include <netdb.h>

#include <atomic>
#include <cstring>
#include <system_error>

#include "broker/base/thread.hpp"

namespace godwit::net {
namespace {

constexpr int kMostAtOnce = 64;  // beyond it something is badly wrong with the name servers
std::atomic<int> look_ups{0};

Resolved look_up(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  Resolved out;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0) {
    out.error = "cannot resolve the host name '" + host + "': " + gai_strerror(code);
    return out;
  }
  for (const addrinfo* a = found; a; a = a->ai_next) {
    Address address;
    address.length = a->ai_addrlen;
    std::memcpy(&address.bytes, a->ai_addr, a->ai_addrlen);
    out.addresses.push_back(address);
  }
  freeaddrinfo(found);
  return out;
}

}  // namespace

void resolve(const std::string& host, uint16_t port, std::function<void(Resolved)> done) {
  if (Resolved literal = look_up(host, port, AI_NUMERICHOST); !literal.addresses.empty())
    return done(std::move(literal));
  if (look_ups.fetch_add(1) >= kMostAtOnce) {
    --look_ups;
    return done({{}, "cannot resolve the host name '" + host + "': too many look-ups hang"});
  }
  try {
    start_thread("resolve", [host, port, done] {
      Resolved answer = look_up(host, port, AI_ADDRCONFIG);
      --look_ups;
      done(std::move(answer));
    }).detach();  // on purpose, see the header
  } catch (const std::system_error& error) {
    --look_ups;
    done({{}, "cannot resolve the host name '" + host + "': " + error.what()});
  }
}

}  // namespace godwit::net
