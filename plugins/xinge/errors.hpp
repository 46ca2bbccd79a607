// Tencent's codes, in three tables: V2 (2019), V3 (2019), TPNS (product 548, page of 2026-01-14).
#pragma once

#include <cstdint>
#include <string_view>

#include "config.hpp"

namespace xinge {

enum class Verdict : uint8_t {
  accepted,
  retry,         // back off, send again
  retry_few,     // V2's server errors: a few times; then something is wrong with the set-up
  too_fast,      // over a limit: a second and up
  drop,          // the token (or the account's binding) is dead
  drop_account,  // an account without a token; says nothing about a token
  look_inside,   // part or all of a list failed: each target is looked at on its own
  fail,          // this message is over, the token stays
  size,
  config,  // an operator must act
};

// Unknown codes fail the message and keep the token.
Verdict verdict_of(Api api, int64_t code);

}  // namespace xinge
