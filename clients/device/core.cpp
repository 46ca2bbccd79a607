#include "clients/device/core.hpp"

#include <algorithm>
#include <utility>

namespace godwit::device {
namespace {

constexpr std::string_view kInbox = "godwit/inbox", kEvents = "godwit/events";
constexpr size_t kMaxMessageId = 64;

// The value of "message_id": ours are made by the broker, first in the object, and hold no escapes.
std::string message_id_of(std::string_view json) {
  static constexpr std::string_view kName = "\"message_id\"";
  size_t at = json.find(kName);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" \t\r\n:", at + kName.size());
  if (at == std::string_view::npos || json[at] != '"') return {};
  const size_t end = json.find('"', at + 1);
  if (end == std::string_view::npos || end - at - 1 > kMaxMessageId) return {};
  const std::string_view id = json.substr(at + 1, end - at - 1);
  const bool is_plain = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 127 && c != '\\'; });
  return is_plain ? std::string(id) : std::string();
}

// Codes that another try with the same credential cannot change (MQTT 5.0, 3.2.2.2).
bool is_final(uint8_t reason) {
  return reason == 0x84 || reason == 0x85 || reason == 0x86 || reason == 0x87 || reason == 0x8A || reason == 0x8C;
}

}  // namespace

Core::Core(Login login, Memory& memory, Callbacks callbacks, uint64_t seed)
    : login_(std::move(login)), memory_(memory), callbacks_(std::move(callbacks)), backoff_(seed) {}

void Core::enter(State state, const char* why) {
  if (std::exchange(state_, state) == state) return;
  if (callbacks_.on_state) callbacks_.on_state(state, why);
}

void Core::close(const char* why) {
  closing_ = true;
  close_reason_ = why;
}

void Core::opening(int64_t now_ms) {
  begun_ms_ = now_ms;
  closing_ = server_said_bye_ = false;
  input_.clear();
  output_.clear();
  ping_sent_ms_ = -1;
  enter(State::connecting, "");
}

void Core::opened(int64_t now_ms) {
  said_ms_ = now_ms;
  output_ += connect_packet(login_, kKeepAliveS, kSessionS);
}

void Core::lost(const char* why, int64_t now_ms) {
  const bool was_connected = state_ == State::connected;
  if (closing_) why = close_reason_;
  // A line that broke while it was silent may have been silent too long; one that was just used was lost for another
  // reason.
  if (was_connected && ping_sent_ms_ >= 0) heartbeat_.bad(now_ms);
  closing_ = false;
  output_.clear();
  input_.clear();
  sent_.clear();
  if (state_ == State::refused) return;
  const int64_t wait = backoff_.next(now_ms, was_connected, is_foreground_);
  retry_ms_ = now_ms + (server_said_bye_ ? backoff_.after_server_closed() : wait);
  enter(State::waiting, why);
}

int64_t Core::ping_due_ms() const {
  // The server may have asked for less than we would like.
  return said_ms_ + int64_t{std::min(heartbeat_.seconds(), keep_alive_s_)} * 1000;
}

int64_t Core::wake_ms() const {
  switch (state_) {
    case State::waiting:
      return retry_ms_;
    case State::connecting:
      return begun_ms_ + kConnectMs;
    case State::connected:
      return ping_sent_ms_ >= 0 ? ping_sent_ms_ + kPingAnswerMs : ping_due_ms();
    case State::refused:
      break;
  }
  return INT64_MAX;
}

void Core::tick(int64_t now_ms) {
  if (now_ms < wake_ms()) return;
  if (state_ == State::connecting) return close("the server did not answer in time");
  if (state_ != State::connected) return;
  if (ping_sent_ms_ >= 0) return close("the heartbeat was not answered");
  output_ += ping_packet();
  ping_sent_ms_ = said_ms_ = now_ms;
}

void Core::received(std::string_view bytes, int64_t now_ms) {
  input_ += bytes;
  std::string_view rest = input_;
  Packet packet;
  while (!closing_) {
    const Take take = take_packet(rest, packet);
    if (take == Take::more) break;
    if (take == Take::broken)
      close("the server sent what is not MQTT");
    else
      handle(packet, now_ms);
  }
  input_.erase(0, input_.size() - rest.size());
  if (state_ == State::connected && !output_.empty()) said_ms_ = now_ms;
}

void Core::handle(const Packet& packet, int64_t now_ms) {
  if ((packet.kind == Kind::connack) != (state_ == State::connecting))
    return close("the server sent a packet out of turn");
  switch (packet.kind) {
    case Kind::connack:
      return handle_connack(packet, now_ms);
    case Kind::publish:
      return handle_publish(packet);
    case Kind::puback:
      return handle_puback(packet);
    case Kind::pingresp:
      if (ping_sent_ms_ >= 0) heartbeat_.good(now_ms);
      ping_sent_ms_ = -1;
      return;
    case Kind::disconnect:
      server_said_bye_ = true;
      return close("the server ended the connection");
    case Kind::other:
      return;
  }
}

void Core::handle_connack(const Packet& packet, int64_t now_ms) {
  if (packet.reason >= 0x80) {
    if (is_final(packet.reason)) enter(State::refused, "the server refused the credential");
    return close("the server refused the connection");
  }
  keep_alive_s_ = packet.server_keep_alive > 0 ? packet.server_keep_alive : kKeepAliveS;
  may_send_ = std::min<size_t>(kMaxUnacknowledged, packet.receive_maximum);
  heartbeat_.connected();
  backoff_.connected(now_ms);
  said_ms_ = now_ms;
  enter(State::connected, "");
  send_events();
}

void Core::handle_publish(const Packet& packet) {
  if (packet.topic == kInbox) {
    const std::string id = message_id_of(packet.payload);
    if (!id.empty() && !memory_.was_shown(id)) {
      if (callbacks_.on_message) callbacks_.on_message(id, packet.payload);
      memory_.shown(id);
    }
  }
  if (packet.qos == 1) output_ += puback_packet(packet.packet_id);
}

void Core::handle_puback(const Packet& packet) {
  const auto at =
      std::find_if(sent_.begin(), sent_.end(), [&](const Sent& s) { return s.packet_id == packet.packet_id; });
  if (at == sent_.end()) return;
  // Refused for good (the message is unknown there) is as final as taken.
  memory_.taken(at->message_id, at->word);
  sent_.erase(at);
  send_events();
}

bool Core::report(const std::string& message_id, const std::string& word, int64_t wall_ms) {
  const bool is_word = word == "displayed" || word == "opened" || word == "dismissed";
  const bool is_id = !message_id.empty() && message_id.size() <= kMaxMessageId &&
                     message_id.find_first_of(" \"\\\n\r\t") == std::string::npos;
  if (!is_word || !is_id) return false;
  memory_.add({message_id, word, wall_ms});
  send_events();
  return true;
}

void Core::send_events() {
  if (state_ != State::connected) return;
  for (const Event& event : memory_.events()) {
    if (sent_.size() >= may_send_) return;
    const bool is_on_its_way = std::any_of(sent_.begin(), sent_.end(), [&](const Sent& s) {
      return s.message_id == event.message_id && s.word == event.word;
    });
    if (is_on_its_way) continue;
    if (++next_packet_id_ == 0) next_packet_id_ = 1;
    output_ += publish_packet(kEvents,
                              "{\"message_id\":\"" + event.message_id + "\",\"event\":\"" + event.word +
                                  "\",\"at\":" + std::to_string(event.at_ms) + "}",
                              next_packet_id_, false);
    sent_.push_back({next_packet_id_, event.message_id, event.word});
  }
}

void Core::set_network(const std::string& name, int64_t now_ms) {
  heartbeat_.set_network(name);
  backoff_.at_once();
  if (state_ == State::waiting) retry_ms_ = now_ms;
  if (state_ == State::connected || state_ == State::connecting) {
    close("the network changed");
    ping_sent_ms_ = -1;
  }
}

void Core::set_credential(std::string credential, int64_t now_ms) {
  login_.credential = std::move(credential);
  retry_ms_ = now_ms;
  if (state_ == State::refused) enter(State::waiting, "a new credential");
  if (state_ == State::connected) close("a new credential");
}

void Core::say_goodbye() {
  if (state_ == State::connected) output_ += disconnect_packet();
}

}  // namespace godwit::device
