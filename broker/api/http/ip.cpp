#include "broker/api/http/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace godwit::http {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Error bad_network(std::string_view text, std::string_view fault) {
  return {
      Code::invalid,
      "\"" + std::string(text) + "\" is not an address or a network (10.0.0.0/8, 2001:db8::/32): " + std::string(fault),
      ""};
}

}  // namespace

IpAddress IpAddress::from_v4(const std::array<uint8_t, 4>& bytes) {
  IpAddress out;
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

IpAddress IpAddress::from_v6(const std::array<uint8_t, 16>& bytes) {
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin()))
    return from_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  IpAddress out;
  out.bytes = bytes;
  out.v4 = false;
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  std::array<uint8_t, 4> four{};
  if (inet_pton(AF_INET, copy.c_str(), four.data()) == 1) return from_v4(four);
  std::array<uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, copy.c_str(), sixteen.data()) == 1) return from_v6(sixteen);
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (v4) return bytes[0] == 127;
  return std::all_of(bytes.begin(), bytes.begin() + 15, [](uint8_t b) { return b == 0; }) && bytes[15] == 1;
}

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN] = {};
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data(), out, sizeof out);
  return out;
}

std::string IpAddress::subscriber() const {
  return std::string(reinterpret_cast<const char*>(bytes.data()), v4 ? 4 : 8);
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return bad_network(text, "the address cannot be read");
  IpNetwork out;
  out.base_ = *address;
  const unsigned widest = address->v4 ? 32 : 128;
  out.bits_ = widest;
  if (slash != text.npos) {
    const auto bits = number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > widest) return bad_network(text, "the prefix must be 0 to " + std::to_string(widest));
    out.bits_ = *bits;
  }
  return out;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.v4 != base_.v4) return false;
  const unsigned whole = bits_ / 8, rest = bits_ % 8;
  if (std::memcmp(address.bytes.data(), base_.bytes.data(), whole) != 0) return false;
  if (rest == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (base_.bytes[whole] & mask);
}

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  const Error fault{Code::invalid,
                    "\"" + std::string(text) + "\" is not an address with a port, such as 127.0.0.1:8480 or [::1]:8480",
                    ""};
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return fault;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != host.npos)
    return fault;
  const auto ip = IpAddress::parse(host == "localhost" ? "127.0.0.1" : host);
  const auto port = number<uint16_t>(text.substr(colon + 1));
  if (!ip || !port) return fault;
  return ListenAddress{*ip, *port};
}

}  // namespace godwit::http
