#include "broadcasts.hpp"

#include <algorithm>
#include <vector>

#include "answer.hpp"

namespace apns {

using godwit::Error;
using godwit::HttpReply;
using godwit::Json;
using godwit::Outcome;
using godwit::Pending;
using godwit::Result;
using Action = ChannelOrder::Action;

namespace {

constexpr const char* kMember = "broadcast_channel";
constexpr size_t kMaxDetail = 250;            // what the broker keeps of a vendor's words
constexpr uint32_t kMaxAnswer = 1024 * 1024;  // 10,000 IDs, the most that an app may have

Error refused(const std::string& text) {
  return Error{GW_E_INVALID, "BadOverride: " + text, "/overrides/apns/broadcast_channel"};
}

// As many as fit, in order, so that the last one shown is the next `after`.
std::string list_of(const std::string& body, const std::string& after) {
  const Json json = Json::parse(body, nullptr, false);
  std::vector<std::string> ids;
  if (const auto found = json.find("channels"); found != json.end() && found->is_array())
    for (const Json& id : *found)
      if (id.is_string()) ids.push_back(id.get<std::string>());
  std::sort(ids.begin(), ids.end());
  std::string text = std::to_string(ids.size()) + (ids.size() == 1 ? " channel:" : " channels:");
  const auto first = after.empty() ? ids.begin() : std::upper_bound(ids.begin(), ids.end(), after);
  for (auto id = first; id != ids.end(); ++id) {
    if (text.size() + id->size() + 5 > kMaxDetail) return text + " ...";
    text += ' ' + *id;
  }
  return text;
}

std::string policy_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  const auto policy = json.is_object() ? json.find("message-storage-policy") : json.end();
  return policy == json.end() ? std::string() : "message-storage-policy " + policy->dump();
}

Outcome done(const ChannelOrder& order, const std::string& id, const HttpReply& reply) {
  const std::string_view made = reply.header("apns-channel-id");
  Outcome outcome = Outcome::accepted(made.empty() ? id : std::string(made));
  switch (order.action) {
    case Action::create:
      outcome.detail = "made";
      break;
    case Action::read:
      outcome.detail = policy_of(std::string(reply.body()));
      break;
    case Action::remove:
      outcome.detail = "deleted";
      break;
    case Action::list:
      outcome.vendor_id.clear();
      outcome.detail = list_of(std::string(reply.body()), order.after);
      break;
  }
  return outcome;
}

Outcome outcome_of(const ChannelOrder& order, const std::string& id, const HttpReply& reply) {
  if (!reply.is_answered()) {
    if (reply.is_not_sent())
      return reply.status() == GW_E_CLOSED ? Outcome::cancelled()
                                           : Outcome::retry("not_sent", std::string(reply.error()));
    if (order.action == Action::create)
      return Outcome::rejected("outcome_unknown", "Apple may have made the channel: list them before you try again");
    return Outcome::unknown(std::string(reply.error()));
  }
  if (reply.http_status() == 200 || reply.http_status() == 201 || reply.http_status() == 204)
    return done(order, id, reply);
  const Answer answer = read_answer(reply.http_status(), reply.body());
  switch (answer.verdict) {
    case Verdict::retry:
    case Verdict::again:
    case Verdict::slow_token:
    case Verdict::new_connection:
    case Verdict::renew_token:  // the next push renews it
      return Outcome::retry(answer.reason);
    case Verdict::config:
    case Verdict::wrong_topic:
      return Outcome::config(answer.reason, std::string(remedy(answer.reason)));
    default:
      return Outcome::rejected(answer.reason, std::string(remedy(answer.reason)));
  }
}

}  // namespace

Result<std::optional<ChannelOrder>> parse_order(const godwit::Message& message, const Address& address) {
  if (message.vendor_options().find(kMember) == std::string_view::npos) return std::nullopt;
  const Json options = Json::parse(message.vendor_options(), nullptr, false);
  const auto found = options.is_object() ? options.find(kMember) : options.end();
  if (found == options.end()) return std::nullopt;
  if (!found->is_object()) return refused("must be an object with `action`");
  if (!address.is_broadcast) return refused("the message must go to the token broadcast:ID, or broadcast:new");

  ChannelOrder order;
  const std::string action = godwit::text_of(*found, "action");
  if (action == "create") {
    order.action = Action::create;
    const auto policy = found->find("message-storage-policy");
    if (policy == found->end() || (*policy != 0 && *policy != 1))
      return refused(
          "`message-storage-policy` must be 0 (keep nothing) or 1 (keep the newest for phones that are away)");
    order.storage_policy = policy->get<int>();
  } else if (action == "read") {
    order.action = Action::read;
  } else if (action == "delete") {
    order.action = Action::remove;
  } else if (action == "list") {
    order.after = godwit::text_of(*found, "after");
  } else {
    return refused("`action` must be create, read, delete or list");
  }
  return order;
}

godwit::HttpRequest request_of(const Config& config, const ChannelOrder& order, const Address& address,
                               const godwit::Message& message) {
  godwit::HttpRequest r;
  r.path = "/1/apps/" + config.topic + (order.action == Action::list ? "/all-channels" : "/channels");
  std::string id;
  write_apns_id(message.message_id(), message.target().address(), id);
  r.headers = {{"apns-request-id", id}};
  r.method = order.action == Action::create ? "POST" : order.action == Action::remove ? "DELETE" : "GET";
  if (order.action == Action::create)
    r.body = Json{{"message-storage-policy", order.storage_policy}, {"push-type", "LiveActivity"}}.dump();
  else if (order.action != Action::list)
    r.headers.emplace_back("apns-channel-id", address.token);
  r.deadline_mono_ns = message.deadline_mono_ns();
  r.cookie = message.ticket();
  return r;
}

void Broadcasts::carry_out(Pending m, const ChannelOrder& order, const Address& address,
                           std::string_view authorization) {
  std::optional<godwit::HttpPool>& pool = pools_[size_t(address.environment)];
  if (!pool) {
    auto opened = godwit::HttpPool::open(host_, {.origin = config_.manage_origins[size_t(address.environment)],
                                                 .versions = GW_HTTP_V2,
                                                 .tls_certificate = config_.certificate_name,
                                                 .tls_key = config_.certificate_key_name,
                                                 .ca_file = config_.ca_file,
                                                 .max_connections = 1,
                                                 .connect_timeout_ms = config_.connect_timeout_ms,
                                                 .request_timeout_ms = config_.request_timeout_ms,
                                                 .idle_timeout_ms = 60'000,
                                                 .max_response_bytes = kMaxAnswer});
    if (!opened) return m.settle(Outcome::config("no_connection", opened.error().message));
    pool.emplace(std::move(*opened));
  }
  godwit::HttpRequest request = request_of(config_, order, address, m.message());
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  pool->send(request, [m = std::move(m), order, id = std::string(address.token)](const HttpReply& reply) mutable {
    Outcome outcome = outcome_of(order, id, reply);
    outcome.http_status = reply.http_status();
    m.settle(outcome);
  });
}

void Broadcasts::cancel(uint64_t ticket) {
  for (const auto& pool : pools_)
    if (pool) pool->cancel(ticket);
}

}  // namespace apns
