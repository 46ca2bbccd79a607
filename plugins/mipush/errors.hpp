// Xiaomi's error codes (pId 1560, 2024-10-18, and the codes that Getui's table adds) and what each one means for us.
#pragma once

#include <cstdint>
#include <string_view>

namespace mipush {

enum class Verdict : uint8_t {
  accepted,
  retry,        // back off, send again
  retry_once,   // send again once, then the message is over
  too_fast,     // over the calls per second: a second, then fewer
  too_often,    // over a limit that is told in minutes
  day_quota,    // the app's day is used up: until midnight in China
  class_quota,  // the message class's day is used up; other classes may still send
  poller,       // a limit of feedback and statistics: nothing that a message can be blamed for
  drop,         // the target is dead
  drop_alias,   // black-listed: forget it if it is an alias, else the message is over
  away,         // the device is not found, usually offline: the message is over here, the token stays
  fail,         // this message is over, the token stays
  size,         // too large
  review,       // the content must be reviewed first: over, and the operator should know
  config,       // the set-up of a class, template or callback is wrong
  account,      // the account is refused: nothing can be sent until an operator acts
};

// Unknown codes fail the message and keep the token.
Verdict verdict_of(int64_t code);
std::string_view meaning_of(int64_t code);  // in a few words, for operators; empty when unknown

}  // namespace mipush
