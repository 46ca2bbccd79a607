// A message of the host as the stanza that its device understands. Pure; the answer is well-formed XML whatever the
// message holds.
//
// xmpp: a message with our payload (docs/channels/xmpp.md), a body for people, a receipt request (XEP-0184 §5.1),
// storing hints (XEP-0334) and a displayed marker's request (XEP-0333). androidpn: the IQ of the Androidpn client
// 0.5.0, which every fork reads too.
#pragma once

#include <godwit/message.hpp>
#include <godwit/outcome.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

struct Envelope {
  std::string_view from;  // empty: the server fills it in
  std::string_view to;
  std::string_view api_key;          // androidpn
  uint64_t expires_wall_ms = 0;      // xmpp: after it the device should not show it
  bool is_stored_by_server = false;  // xmpp: where messages for an absent device wait
};

// Appends one stanza; its id is the message's id. What is answered instead says why this message cannot be sent.
std::optional<godwit::Outcome> encode_xmpp(godwit::Message message, const Envelope& envelope, std::string& out);
std::optional<godwit::Outcome> encode_androidpn(godwit::Message message, const Envelope& envelope, std::string& out);

}  // namespace xmpp
