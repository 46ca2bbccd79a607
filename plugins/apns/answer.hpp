// What an answer of APNs means: the error table of Apple's "Handling notification responses from APNs" and "Sending
// channel management requests" (apns.md §5, §9) as data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apns {

enum class Verdict : uint8_t {
  accepted,
  drop_token,      // forget the token
  wrong_token,     // the same; many in a row mean that our topic or environment is wrong
  retry,           // later
  slow_token,      // later, for this token only
  again,           // at once
  renew_token,     // with a new provider token, on a new connection
  new_connection,  // at once, on a new connection
  fail,            // this message is over, the token stays
  forbidden,       // the same; many in a row mean that we may nothing
  too_large,
  defect,       // we built a request that Apple does not understand
  config,       // an operator has to change something
  wrong_topic,  // the same, unless the message chose its topic itself
};

struct Answer {
  Verdict verdict = Verdict::fail;
  std::string reason;     // Apple's word; "http_500" if there is none
  uint64_t since_ms = 0;  // 410: the token has been dead since then
};

// `body` comes from outside and may be anything.
Answer read_answer(uint32_t http_status, std::string_view body);

// What an operator should do about a `config` reason; empty if Apple's word says it all.
std::string_view remedy(std::string_view reason);

}  // namespace apns
