// What an answer says, read once, and what it means for one target. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <godwit/outcome.hpp>

#include "errors.hpp"

namespace xinge {

struct Answer {
  Verdict verdict = Verdict::retry;
  uint32_t http_status = 0;
  int64_t code = 0;
  uint64_t retry_after_ms = 0;
  std::string word, reason;
  std::string push_id;
  std::vector<std::string> invalid;  // tokens that were skipped because they are dead
  std::vector<int64_t> each;         // codes target by target, where the call answers so
};

Answer read_answer(Api api, uint32_t http_status, std::string_view body, std::string_view retry_after);

struct Circumstances {
  bool is_token = true;  // an account or tag otherwise
  uint32_t attempt = 1;
};
godwit::Outcome outcome_of(const Answer& answer, const Circumstances& now);

}  // namespace xinge
