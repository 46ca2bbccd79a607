#include "plugins/selfconn/stream/upgrade.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

namespace selfconn {
namespace {

constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
constexpr std::string_view kSubprotocol = "mqtt";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool is_same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Is `word` one of a comma-separated list?
bool lists(std::string_view list, std::string_view word, bool exactly) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view item = trim(list.substr(0, comma));
    if (exactly ? item == word : is_same(item, word)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

struct Request {
  std::string_view method, target, version;
  bool has_host = false, upgrades = false, connection_upgrades = false, offers_mqtt = false, is_broken = false;
  std::string_view ws_version, key;
};

Request parse(std::string_view head) {
  Request r;
  const size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    r.is_broken = true;
    return r;
  }
  r.method = line.substr(0, first);
  r.target = line.substr(first + 1, last - first - 1);
  r.version = line.substr(last + 1);
  for (std::string_view rest = head.substr(line_end + 2); !rest.empty();) {
    const size_t end = rest.find("\r\n");
    const std::string_view field = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
    const size_t colon = field.find(':');
    if (colon == 0 || colon == std::string_view::npos || field[0] == ' ' || field[0] == '\t') {
      r.is_broken = true;
      return r;
    }
    const std::string_view name = field.substr(0, colon), value = trim(field.substr(colon + 1));
    if (is_same(name, "host")) r.has_host = true;
    if (is_same(name, "upgrade")) r.upgrades = r.upgrades || lists(value, "websocket", false);
    if (is_same(name, "connection")) r.connection_upgrades = r.connection_upgrades || lists(value, "upgrade", false);
    if (is_same(name, "sec-websocket-version")) r.ws_version = value;
    if (is_same(name, "sec-websocket-key")) r.key = value;
    if (is_same(name, "sec-websocket-protocol")) r.offers_mqtt = r.offers_mqtt || lists(value, kSubprotocol, true);
  }
  return r;
}

// 16 bytes in base64.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, [](char c) {
           return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
         });
}

std::string accept_value(std::string_view key) {
  const std::string text = std::string(key) + std::string(kMagic);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<uint8_t, 64> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(length)};
}

std::string refusal(std::string_view status, std::string_view why, std::string_view fields = {}) {
  std::string text = "HTTP/1.1 " + std::string(status) + "\r\nConnection: close\r\nContent-Type: text/plain\r\n";
  text.append(fields).append("Content-Length: ").append(std::to_string(why.size() + 1)).append("\r\n\r\n");
  return text.append(why).append("\n");
}

std::optional<std::string> fault_of(const Request& r) {
  if (r.is_broken) return refusal("400 Bad Request", "this is not an HTTP request");
  if (r.method != "GET" || r.version != "HTTP/1.1" || !r.has_host)
    return refusal("400 Bad Request", "a WebSocket begins with GET, HTTP/1.1 and a Host field");
  if (r.target.substr(0, r.target.find('?')) != kWebSocketPath)
    return refusal("404 Not Found", "MQTT over WebSocket is at /mqtt");
  if (!r.upgrades || !r.connection_upgrades || r.ws_version != "13")
    return refusal("426 Upgrade Required", "this path speaks WebSocket, version 13, only",
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  if (!is_key(r.key)) return refusal("400 Bad Request", "Sec-WebSocket-Key must be 16 bytes in base64");
  if (!r.offers_mqtt) return refusal("400 Bad Request", "Sec-WebSocket-Protocol must offer \"mqtt\"");
  return std::nullopt;
}

}  // namespace

Upgrade answer_upgrade(std::string_view input) {
  Upgrade upgrade;
  const size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos || end + 4 > kMaxUpgradeRequest) {
    if (input.size() < kMaxUpgradeRequest && end == std::string_view::npos) return upgrade;
    upgrade.state = Upgrade::State::refused;
    upgrade.response = refusal("431 Request Header Fields Too Large", "the request is longer than 8 KiB");
    return upgrade;
  }
  const Request request = parse(input.substr(0, end));
  upgrade.request_size = end + 4;
  if (auto fault = fault_of(request)) {
    upgrade.state = Upgrade::State::refused;
    upgrade.response = std::move(*fault);
    return upgrade;
  }
  upgrade.state = Upgrade::State::accepted;
  upgrade.response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
      accept_value(request.key) + "\r\nSec-WebSocket-Protocol: " + std::string(kSubprotocol) + "\r\n\r\n";
  return upgrade;
}

}  // namespace selfconn
