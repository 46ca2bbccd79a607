// IP addresses and networks as plain bytes, so that nothing above the sockets needs Asio. IPv4-mapped IPv6 addresses
// are IPv4 here: a listener on [::] must not open a second spelling of every address on an allow list.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"

namespace godwit::http {

struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // IPv4 uses the first four
  bool v4 = true;

  bool operator==(const IpAddress&) const = default;
  bool is_loopback() const;
  std::string text() const;
  // What limits count by: an IPv4 address, or the /64 that one IPv6 subscriber owns.
  std::string subscriber() const;

  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress from_v4(const std::array<uint8_t, 4>& bytes);
  static IpAddress from_v6(const std::array<uint8_t, 16>& bytes);
};

class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or a single address.
  static Result<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& address) const;

 private:
  IpAddress base_;
  unsigned bits_ = 0;
};

// "127.0.0.1:8480", "[::1]:8480".
struct ListenAddress {
  IpAddress ip;
  uint16_t port = 0;
  static Result<ListenAddress> parse(std::string_view text);
};

}  // namespace godwit::http
