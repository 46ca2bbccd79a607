// Problems: every answer that is not a success, as RFC 9457 application/problem+json. One table says which kind has
// which status and title; the OpenAPI document and the tests read the same table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/http/message.hpp"
#include "broker/base/result.hpp"

namespace godwit {

// One thing wrong with the input, by JSON pointer (or the name of a header or query parameter).
struct Fault {
  std::string pointer, code, detail;
  bool operator==(const Fault&) const = default;
};

struct ProblemKind {
  std::string_view name;  // the last part of `type`
  int status;
  std::string_view title;
};

namespace problem_kinds {
inline constexpr ProblemKind bad_request{"bad-request", 400, "The request cannot be read"};
inline constexpr ProblemKind unauthorized{"unauthorized", 401, "A valid key is needed"};
inline constexpr ProblemKind forbidden{"forbidden", 403, "This key may not do that"};
inline constexpr ProblemKind not_found{"not-found", 404, "There is no such thing"};
inline constexpr ProblemKind method_not_allowed{"method-not-allowed", 405, "Not with this method"};
inline constexpr ProblemKind timeout{"request-timeout", 408, "The request did not arrive in time"};
inline constexpr ProblemKind conflict{"conflict", 409, "It contradicts what is already there"};
inline constexpr ProblemKind too_large{"too-large", 413, "Too large"};
inline constexpr ProblemKind unsupported_media{"unsupported-media-type", 415, "Not in this format"};
inline constexpr ProblemKind expectation{"expectation-failed", 417, "The expectation cannot be met"};
inline constexpr ProblemKind invalid{"invalid", 422, "The input has faults"};
inline constexpr ProblemKind unsupported{"unsupported", 422, "Not available"};
inline constexpr ProblemKind too_many{"too-many-requests", 429, "Over the quota"};
inline constexpr ProblemKind header_too_large{"header-too-large", 431, "The request's header is too large"};
inline constexpr ProblemKind internal{"internal", 500, "Our mistake"};
inline constexpr ProblemKind not_implemented{"not-implemented", 501, "This server does not do that"};
inline constexpr ProblemKind overloaded{"overloaded", 503, "Too much work at the moment"};
inline constexpr ProblemKind unavailable{"unavailable", 503, "Not available at the moment"};
inline constexpr ProblemKind unknown_outcome{"unknown-outcome", 503, "It may or may not have happened"};
inline constexpr ProblemKind http_version{"http-version", 505, "HTTP/1.0 and HTTP/1.1 are spoken here"};
inline constexpr ProblemKind no_space{"no-space", 507, "The disk is full"};
}  // namespace problem_kinds

std::span<const ProblemKind> all_problem_kinds();

// The object alone, as it stands in an answer or in a line of a batch.
void append_problem(std::string& out, const ProblemKind& kind, std::string_view detail,
                    std::span<const Fault> faults = {});
http::Response problem(const ProblemKind& kind, std::string_view detail, std::span<const Fault> faults = {});

// What the broker's errors become.
const ProblemKind& kind_of(const Error& error);
http::Response problem(const Error& error);
void append_problem(std::string& out, const Error& error);

// 429 or 503 with Retry-After; `seconds` is spread by half to both sides so that callers do not come back together.
http::Response retry_later(const ProblemKind& kind, std::string_view detail, double seconds);

}  // namespace godwit
