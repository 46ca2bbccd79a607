#include "plugins/xmpp/push/verdict.hpp"

#include <algorithm>
#include <array>

namespace xmpp {
namespace {

struct Row {
  std::string_view condition;
  uint32_t disposition;
  uint64_t retry_after_ms = 0;
};

// Servers answer `service-unavailable` for an offline account and for one that does not exist alike (seen on Prosody
// 0.12.3 and ejabberd 23.01), so it never costs a token.
constexpr std::array kRows = std::to_array<Row>({
    {"service-unavailable", GW_UNREACHABLE},
    {"recipient-unavailable", GW_UNREACHABLE},
    {"item-not-found", GW_TARGET_INVALID},
    {"gone", GW_TARGET_INVALID},
    {"jid-malformed", GW_TARGET_INVALID},
    {"not-authorized", GW_TARGET_INVALID},  // the account refuses us
    {"forbidden", GW_REJECTED},             // or, on ejabberd, s2s is off
    {"registration-required", GW_TARGET_INVALID},
    {"subscription-required", GW_TARGET_INVALID},
    {"feature-not-implemented", GW_REJECTED},  // a client is there, but not one of this dialect
    {"not-allowed", GW_REJECTED},              // the domain is not served
    {"remote-server-not-found", GW_REJECTED},
    {"remote-server-timeout", GW_RETRY},
    {"internal-server-error", GW_RETRY},
    {"resource-constraint", GW_UNREACHABLE},  // the account's offline store is full: nobody else must wait for it
    {"policy-violation", GW_THROTTLED, 2'000},
    {"not-acceptable", GW_REJECTED},
    {"bad-request", GW_REJECTED},
});

}  // namespace

godwit::Outcome outcome_of(const StanzaError& error) {
  godwit::Outcome out;
  const auto row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.condition == error.condition; });
  if (row != kRows.end()) {
    out.disposition = row->disposition;
    out.retry_after_ms = row->retry_after_ms;
  } else {
    // RFC 6120 §8.3.2: the type says whether trying again makes sense.
    out.disposition = error.type == "wait" ? GW_RETRY : GW_REJECTED;
  }
  out.vendor_code = error.condition.substr(0, 64);
  out.detail = error.text.substr(0, 200);
  return out;
}

}  // namespace xmpp
