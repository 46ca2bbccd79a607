// What operators and their tools ask: health, metrics, the document, keys, the event stream.
#include "broker/api/routes/call.hpp"
#include "broker/api/routes/event_stream.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

void health(Api&, Call&, http::Reply reply) {
  reply.send(json_answer(200, R"({"status":"alive"})"));
}

void ready(Api& api, Call&, http::Reply reply) {
  const Result<void> state = api.parts.ready ? api.parts.ready() : Result<void>();
  if (!state) return reply.send(problem(problem_kinds::unavailable, state.error().message));
  if (reply.home()->draining()) return reply.send(problem(problem_kinds::unavailable, "the broker is draining"));
  reply.send(json_answer(200, R"({"status":"ready"})"));
}

void metrics(Api& api, Call&, http::Reply reply) {
  http::Response out;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  if (api.parts.metrics) out.body = api.parts.metrics();
  reply.send(std::move(out));
}

void document(Api& api, Call&, http::Reply reply) {
  reply.send(json_answer(200, api.openapi));
}

void keys(Api& api, Call&, http::Reply reply) {
  std::string body;
  JsonWriter json(body);
  json.object().key("keys").array();
  for (const Keyring::Listed& key : api.keyring()->list())
    json.object()
        .optional_field("app", key.app)
        .field("kind", to_string(key.role))
        .field("sha256_prefix", key.sha256_prefix)
        .end_object();
  json.end_array().end_object();
  reply.send(json_answer(200, std::move(body)));
}

}  // namespace

const std::vector<Route>& operation_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::get,
       .path = "/v1/events",
       .who = kServer | kAdmin,
       .handle = stream_events,
       .id = "streamEvents",
       .tag = "Operations",
       .summary = "A live stream of what happens to messages",
       .description = "Server-Sent Events: the event's name is the step, its data the object below. A comment comes "
                      "every 15 seconds. A reader who falls behind gets a last event `end` with the reason and is cut "
                      "off. An admin key without `app` sees every app.",
       .query = {{"message_id", "string", "This message only", ""},
                 {"device_id", "string", "This device only", ""},
                 {"event", "string", "A list of steps", "delivered,opened"}},
       .answers = {{200, "Events until either side closes", "LifeEvent", "text/event-stream"}}},
      {.method = Method::get,
       .path = "/v1/keys",
       .who = kAdmin,
       .handle = keys,
       .id = "listKeys",
       .tag = "Operations",
       .summary = "Which keys there are, masked",
       .description = "App, kind and the first 12 digits of the SHA-256; nothing that lets anybody in.",
       .answers = {{200, "The keys", "KeyList"}}},
      {.method = Method::get,
       .path = "/healthz",
       .who = kLoopback,
       .handle = health,
       .id = "health",
       .tag = "Operations",
       .summary = "The process answers",
       .description = "",
       .answers = {{200, "It does", "Status"}}},
      {.method = Method::get,
       .path = "/readyz",
       .who = kLoopback,
       .handle = ready,
       .id = "ready",
       .tag = "Operations",
       .summary = "The broker takes work",
       .description = "503 while it starts, drains, or cannot write; the detail says which.",
       .answers = {{200, "It does", "Status"}}},
      {.method = Method::get,
       .path = "/metrics",
       .who = kLoopback,
       .handle = metrics,
       .id = "metrics",
       .tag = "Operations",
       .summary = "Metrics for Prometheus",
       .description = "",
       .answers = {{200, "Text exposition format", "AnyBody", "text/plain"}}},
      {.method = Method::get,
       .path = "/openapi.json",
       .who = kLoopback,
       .handle = document,
       .id = "document",
       .tag = "Operations",
       .summary = "This document",
       .description = "",
       .answers = {{200, "OpenAPI 3.1", "AnyObject"}}},
  };
  return routes;
}

const std::vector<const Route*>& all_routes() {
  static const std::vector<const Route*> all = [] {
    std::vector<const Route*> out;
    for (const auto* part : {&device_routes(), &topic_routes(), &message_routes(), &receipt_routes(), &channel_routes(),
                             &statistics_routes(), &operation_routes()})
      for (const Route& route : *part) out.push_back(&route);
    return out;
  }();
  return all;
}

}  // namespace godwit
