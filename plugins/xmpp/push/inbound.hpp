// What a stanza from the server means to us. Pure: an element in, a value out.
#pragma once

#include <string>
#include <string_view>

#include "plugins/xmpp/xml/element.hpp"

namespace xmpp {

// The ids of our own questions begin with these; message ids never contain a hyphen.
inline constexpr std::string_view kBarrierId = "gwb-";  // "have you read everything so far?"
inline constexpr std::string_view kCheckId = "gwc-";    // "is this device there?"

struct StanzaError {
  std::string type, condition, text;
};

struct Inbound {
  enum class Kind : uint8_t {
    nothing,   // not for us
    receipt,   // a device speaks of message `id`: subkind
    answer,    // the IQ result to the notification `id` (androidpn)
    refused,   // a stanza error about message `id`
    barrier,   // `id` came back, as a result, an error or as itself: all before it was read
    check,     // the answer to kCheckId; is_error says which
    presence,  // `type` as in the stanza; empty: available
    question,  // an IQ that must be answered; `wants`
  };
  enum class Wants : uint8_t { nothing, pong, disco, confirm, unknown };

  Kind kind = Kind::nothing;
  std::string_view from, id, type;
  uint32_t subkind = 0;                // receipt: GW_RECEIPT_*
  bool is_error = false;               // check
  bool has_negative_priority = false;  // presence
  StanzaError error;                   // refused, check
  Wants wants = Wants::nothing;
  std::string_view iq_id;  // question: to be echoed
};

// Views into `stanza`.
Inbound read_stanza(const Element& stanza);

}  // namespace xmpp
