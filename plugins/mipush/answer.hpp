// What an answer to a call says, read once; and what it means for a message.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/outcome.hpp>

#include "errors.hpp"

namespace mipush {

struct DayQuota {
  int64_t quota = 0, acked = 0;  // of the message's class, today
};

struct Answer {
  Verdict verdict = Verdict::retry;
  uint32_t http_status = 0;
  int64_t code = 0;
  uint64_t retry_after_ms = 0;  // told by the vendor with 429 or 503
  std::string word;             // the code as text, or "http_502"
  std::string reason, trace_id;
  std::string vendor_id;                // data.id: the key of receipts, recall and trace
  std::vector<std::string> bad_regids;  // of an accepted list: refused, but not yet said to be dead
  std::vector<std::string> list;        // data.list of the feedback calls
  std::optional<DayQuota> quota;
  std::string exceeded;  // data.channel_exceed_quota: "no_channel:2 100001:3", targets refused by class
  // How many targets of this class were refused because its day is used up. Which ones is not told.
  uint64_t exceeded_of(std::string_view channel_id) const;
};

// `retry_after` is the header's text. Never fails: what cannot be read is `retry`, as Xiaomi's documents ask.
Answer read_answer(uint32_t http_status, std::string_view body, std::string_view retry_after);

// Things that only the channel knows.
struct Circumstances {
  bool is_alias = false;
  uint32_t attempt = 1;
  uint64_t until_midnight_ms = 0;     // in China
  bool other_classes_remain = false;  // class_quota: the channel goes on without this class
};

// For one target of the call.
godwit::Outcome outcome_of(const Answer& answer, const Circumstances& now);

}  // namespace mipush
