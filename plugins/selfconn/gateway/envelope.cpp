#include "plugins/selfconn/gateway/envelope.hpp"

#include <algorithm>
#include <cstring>

namespace selfconn {
namespace {

constexpr std::string_view kOpen = "{\"message_id\":\"";
constexpr std::string_view kSentAt = "\",\"sent_at\":\"";
constexpr std::string_view kEnd = "\"";
constexpr std::string_view kBlanks = " \t\r\n";

bool is_plain(std::string_view id) {
  return !id.empty() &&
         std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F; });
}

}  // namespace

Envelope::Envelope(godwit::Message message, std::string_view sent_at)
    : message_id_(message.message_id()), sent_at_(sent_at) {
  std::string_view content = message.content();
  const size_t open = content.find_first_not_of(kBlanks);
  const size_t close = content.find_last_not_of(kBlanks);
  if (open == std::string_view::npos || content[open] != '{' || content[close] != '}' || open == close) return;
  content = content.substr(open + 1, close - open);
  members_ = content.substr(content.find_first_not_of(kBlanks));  // the closing brace is always there
  is_valid_ = is_plain(message_id_) && message.content_kind() == GW_CONTENT_NOTIFICATION;
}

size_t Envelope::size() const {
  const size_t comma = members_.size() > 1 ? 1 : 0;
  return kOpen.size() + message_id_.size() + kSentAt.size() + sent_at_.size() + kEnd.size() + comma + members_.size();
}

void Envelope::write(std::span<uint8_t> room) const {
  uint8_t* at = room.data();
  const auto put = [&at](std::string_view piece) {
    std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  };
  put(kOpen);
  put(message_id_);
  put(kSentAt);
  put(sent_at_);
  put(kEnd);
  if (members_.size() > 1) put(",");
  put(members_);
}

}  // namespace selfconn
