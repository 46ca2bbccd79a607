#include "broker/api/problem.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "broker/api/json_writer.hpp"

namespace godwit {
namespace {

using namespace problem_kinds;

constexpr std::array kAll{bad_request,      unauthorized, forbidden,  not_found,   method_not_allowed, timeout,
                          conflict,         too_large,    invalid,    unsupported, unsupported_media,  too_many,
                          header_too_large, internal,     overloaded, unavailable, not_implemented,    unknown_outcome,
                          expectation,      http_version, no_space};

// Cheap spread over callers; nothing depends on its quality.
double next_spread() {
  static std::atomic<uint32_t> counter{0};
  const uint32_t x = counter.fetch_add(1, std::memory_order_relaxed) * 2654435761u;
  return 0.5 + static_cast<double>(x >> 16) / 65536.0;
}

std::string retry_after(double seconds) {
  return std::to_string(std::clamp<int64_t>(std::llround(std::ceil(seconds * next_spread())), 1, 3600));
}

bool wants_retry(const ProblemKind& kind) {
  return kind.status == 429 || kind.status == 503 || kind.status == 507;
}

std::vector<Fault> faults_of(const Error& error) {
  // The engine names a field of the caller's input by its pointer; anything else in `where` is an object's name.
  if (error.code == Code::invalid && error.where.starts_with('/')) return {{error.where, "invalid", error.message}};
  return {};
}

}  // namespace

std::span<const ProblemKind> all_problem_kinds() {
  return kAll;
}

void append_problem(std::string& out, const ProblemKind& kind, std::string_view detail, std::span<const Fault> faults) {
  JsonWriter json(out);
  json.object();
  json.key("type").value("urn:godwit:problem:" + std::string(kind.name));
  json.field("title", kind.title).field("status", kind.status).field("detail", detail);
  if (!faults.empty()) {
    json.key("errors").array();
    for (const Fault& fault : faults)
      json.object()
          .field("pointer", fault.pointer)
          .field("code", fault.code)
          .field("detail", fault.detail)
          .end_object();
    json.end_array();
  }
  json.end_object();
}

http::Response problem(const ProblemKind& kind, std::string_view detail, std::span<const Fault> faults) {
  http::Response out;
  out.status = kind.status;
  out.content_type = "application/problem+json";
  append_problem(out.body, kind, detail, faults);
  if (wants_retry(kind)) out.headers.emplace_back("Retry-After", retry_after(1));
  return out;
}

const ProblemKind& kind_of(const Error& error) {
  switch (error.code) {
    case Code::invalid:
      return invalid;
    case Code::not_found:
      return not_found;
    case Code::conflict:
      return conflict;
    case Code::forbidden:
      return forbidden;
    case Code::unsupported:
      return unsupported;
    // An app over its own quota is told so; everything else is our load.
    case Code::overloaded:
      return error.where.starts_with("app") ? too_many : overloaded;
    case Code::unavailable:
    case Code::io:
      return unavailable;
    case Code::no_space:
      return no_space;
    case Code::unknown:
      return unknown_outcome;
    case Code::internal:
      return internal;
  }
  return internal;
}

http::Response problem(const Error& error) {
  return problem(kind_of(error), error.message, faults_of(error));
}

void append_problem(std::string& out, const Error& error) {
  append_problem(out, kind_of(error), error.message, faults_of(error));
}

http::Response retry_later(const ProblemKind& kind, std::string_view detail, double seconds) {
  http::Response out = problem(kind, detail);
  for (auto& [name, value] : out.headers)
    if (name == "Retry-After") value = retry_after(seconds);
  return out;
}

}  // namespace godwit
