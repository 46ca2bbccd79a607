#include "plugins/xmpp/push/encode.hpp"

#include "plugins/xmpp/push/content.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

using godwit::Outcome;

std::optional<Outcome> refusal(const Content& content) {
  if (!content.is_valid) return Outcome::rejected("bad-content", "the content is not a JSON object");
  if (!content.has_valid_options)
    return Outcome::rejected("bad-options", "overrides.xmpp must be an object; its `type` is normal, chat or headline");
  return std::nullopt;
}

void attribute(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(" ").append(name).append("='");
  append_escaped(out, value);
  out.append("'");
}
void element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_escaped(out, text);
  out.append("</").append(name).append(">");
}

// {"message_id": ..., "expires_at": ..., and what the content says}. The id is the host's: letters and digits.
std::string payload(godwit::Message message, uint64_t expires_wall_ms) {
  std::string_view content = message.content();
  content.remove_prefix(content.find('{') + 1);
  const bool is_empty = content.find_first_not_of(" \t\r\n") == content.rfind('}');
  std::string out = "{\"message_id\":\"";
  for (const char c : message.message_id())
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') out.push_back(c);
  out.append("\",\"expires_at\":").append(std::to_string(expires_wall_ms));
  if (message.is_silent()) out.append(",\"silent\":true");
  out.append(is_empty ? "" : ",").append(content);
  return out;
}

}  // namespace

std::optional<Outcome> encode_xmpp(godwit::Message message, const Envelope& envelope, std::string& out) {
  const Content content(message);
  if (auto refused = refusal(content)) return refused;
  out.append("<message");
  attribute(out, "type",
            !content.type.empty()   ? std::string_view(content.type)
            : message.ttl_ms() == 0 ? "headline"
                                    : "normal");
  attribute(out, "from", envelope.from);
  attribute(out, "to", envelope.to);
  attribute(out, "id", message.message_id());
  out.append(">");
  if (!message.is_silent() && !(content.title.empty() && content.body.empty())) {
    const bool has_both = !content.title.empty() && !content.body.empty();
    element(out, "body", content.title + (has_both ? "\n" : "") + content.body);
  }
  out.append("<push xmlns='urn:godwit:push:1'>");
  append_escaped(out, payload(message, envelope.expires_wall_ms));
  out.append("</push><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>");
  // Without a hint the server's own rule holds: a session that is lost with messages in it has them stored.
  if (message.ttl_ms() == 0)
    out.append("<no-store xmlns='urn:xmpp:hints'/>");
  else if (envelope.is_stored_by_server)
    out.append("<store xmlns='urn:xmpp:hints'/>");
  out.append("<no-copy xmlns='urn:xmpp:hints'/></message>");
  return std::nullopt;
}

std::optional<Outcome> encode_androidpn(godwit::Message message, const Envelope& envelope, std::string& out) {
  const Content content(message);
  if (auto refused = refusal(content)) return refused;
  out.append("<iq type='set'");
  attribute(out, "from", envelope.from);
  attribute(out, "to", envelope.to);
  attribute(out, "id", message.message_id());
  out.append("><notification xmlns='androidpn:iq:notification'>");
  element(out, "id", message.message_id());
  element(out, "apiKey", envelope.api_key);
  element(out, "title", content.title);
  element(out, "message", content.body);
  element(out, "uri", content.link);
  if (!content.image.empty())
    element(out, "imageUrl", content.image);  // of the forks; 0.5.0 skips what it does not know
  out.append("</notification></iq>");
  return std::nullopt;
}

}  // namespace xmpp
