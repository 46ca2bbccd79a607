// What an Instance does beside the lane with a vendor's callback. A pure function of the plugin, called by any number
// of threads at once, but never while it stops.
#include <spdlog/spdlog.h>

#include <array>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/instance.hpp"

namespace godwit::channels {
namespace {

uint32_t method_bit(std::string_view method) {
  constexpr std::array<std::pair<std::string_view, uint32_t>, 6> kMethods{{{"GET", GW_METHOD_GET},
                                                                           {"POST", GW_METHOD_POST},
                                                                           {"PUT", GW_METHOD_PUT},
                                                                           {"DELETE", GW_METHOD_DELETE},
                                                                           {"HEAD", GW_METHOD_HEAD},
                                                                           {"PATCH", GW_METHOD_PATCH}}};
  for (const auto& [name, bit] : kMethods)
    if (name == method) return bit;
  return 0;
}

// Collects what parse makes of a request.
struct WebhookCollector {
  ChannelNo channel;
  WallMs now;
  WebhookReply reply;
  bool replied = false;

  static void take_event(void* self, const gw_event* event) {
    auto& c = *static_cast<WebhookCollector*>(self);
    if (!event || c.reply.events.size() >= 100'000) return;
    if (std::optional<ChannelEvent> e = to_event(*event, c.channel, c.now)) c.reply.events.push_back(std::move(*e));
  }
  static void take_reply(void* self, const gw_webhook_reply* reply) {
    auto& c = *static_cast<WebhookCollector*>(self);
    if (!reply || std::exchange(c.replied, true)) return;
    c.reply.status = reply->http_status >= 200 && reply->http_status < 600 ? static_cast<int>(reply->http_status) : 200;
    c.reply.body = from_gw(reply->body);
    for (uint32_t i = 0; i < reply->header_count; ++i)
      if (from_gw(reply->headers[2 * i]) == "content-type")
        c.reply.content_type = clean_text(reply->headers[2 * i + 1], 128);
  }
};

}  // namespace

Result<WebhookReply> Instance::parse_webhook(const WebhookRequest& request) {
  const gw_webhook& webhook = type_.webhook;
  if (webhook.size == 0) return Error{Code::not_found, "channel '" + name_ + "' takes no callbacks", {}};
  const uint32_t method = method_bit(request.method);
  if (!(method & webhook.methods))
    return Error{Code::unsupported, "channel '" + name_ + "' takes no " + request.method + " callbacks", "method"};
  if (webhook.max_body && request.body.size() > webhook.max_body)
    return Error{Code::invalid, "the callback's body is longer than " + std::to_string(webhook.max_body) + " bytes",
                 "body"};

  std::vector<gw_str> headers;
  for (const auto& [name, value] : request.headers) {
    headers.push_back(to_gw(name));
    headers.push_back(to_gw(value));
  }
  WebhookCollector collector{number_, clock_.wall_ms(), {}};
  Diagnosis said;
  gw_webhook_request in{};
  in.size = sizeof in;
  in.method = method;
  in.tail = to_gw(request.tail);
  in.query = to_gw(request.query);
  in.headers = headers.data();
  in.header_count = static_cast<uint32_t>(request.headers.size());
  in.body = to_gw(request.body);
  in.remote_ip = to_gw_or_absent(request.remote_ip);
  in.received_wall_ms = static_cast<uint64_t>(collector.now);
  const gw_webhook_sink sink{sizeof sink, 0, &collector, &WebhookCollector::take_event, &WebhookCollector::take_reply,
                             said.get()};

  std::shared_lock door(door_);
  if (!is_alive()) return Error{Code::unavailable, "the channel is not running", {}};
  const int32_t status = guard([&] { return webhook.parse(self_, &in, &sink); }, &said);
  if (status == GW_OK) return std::move(collector.reply);
  const std::string why = said.text();
  spdlog::debug("[{}] callback refused with {}: {}", name_, status_text(status), why);
  if (status == GW_E_DENIED) return Error{Code::forbidden, "the callback is not authentic", {}};
  if (status == GW_E_INVALID) return Error{Code::invalid, "the callback cannot be understood", {}};
  misbehaviour_.note("webhook", "parse failed with " + status_text(status) + " " + why);
  return Error{code_of_status(status), "the callback could not be handled", {}};
}

}  // namespace godwit::channels
