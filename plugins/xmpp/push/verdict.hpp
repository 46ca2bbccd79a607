// What a stanza error (RFC 6120 §8.3.3) means for the message that it is about.
#pragma once

#include <godwit/outcome.hpp>

#include "plugins/xmpp/push/inbound.hpp"

namespace xmpp {

godwit::Outcome outcome_of(const StanzaError& error);

}  // namespace xmpp
