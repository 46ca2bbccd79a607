// Example SMS: the smallest channel that does everything a real one needs. CHANGE marks what is the vendor's.
#include <godwit/json.hpp>
#include <godwit/preview.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/secret.hpp>

#include "sms_embedded.hpp"  // schema.json and example.json

using namespace godwit;

class Sms final : public Channel {
 public:
  // CHANGE: who you are and what the vendor can do. The router decides by these caps.
  static constexpr auto describe() {
    return type("com.example.sms")
        .name("Example SMS")
        .version("1.0.0")
        .license("MIT")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_DELIVERED,
               .flags = GW_CAP_WEBHOOK | GW_CAP_TOKEN_FEEDBACK | GW_CAP_METERED,
               .max_payload_bytes = 2048,
               .cost_micro = 45000});
  }

  static Result<std::unique_ptr<Sms>> create(Host host, Json config) {
    ConfigReader read(config);
    auto origin = read.get<std::string>("origin"), ca_file = read.get<std::string>("ca_file", "");
    auto key_name = read.get<std::string>("api_key"), token_name = read.get<std::string>("callback_token");
    if (!read) return read.error();
    auto pool = HttpPool::open(host, {.origin = origin, .ca_file = ca_file});
    if (!pool) return std::move(pool).error();
    return std::make_unique<Sms>(host, std::move(*pool), origin, key_name, token_name);
  }
  Sms(Host host, HttpPool pool, std::string origin, std::string key_name, std::string token_name)
      : host_(host), pool_(std::move(pool)), origin_(origin), key_(host, key_name), token_(host, token_name) {}

  // READY as soon as both secrets are there. They are watched: a rotated key needs no restart.
  void start() override {
    auto changed = [this](Result<void> known) {
      if (!known) return host_.set_state(GW_STATE_FAILED, "secret " + known.error().message);
      if (key_.value() && token_.value()) host_.set_state(GW_STATE_READY);
    };
    key_.watch(changed);
    token_.watch(changed);
  }

  // Every message ends in exactly one settle; one that is lost on the way reports itself as UNKNOWN.
  void submit(Batch batch) override {
    for (Pending m : batch) {
      Result<HttpRequest> request = request_for(m.message(), *key_.value());
      if (!request) {
        m.settle(Outcome::rejected("content", request.error().message));
        continue;
      }
      pool_.send(*request, [m = std::move(m)](const HttpReply& reply) mutable { m.settle(outcome_of(reply)); });
    }
  }

  // A dry run shows what would go out, without the key.
  Result<void> preview(Message message, PreviewSink& sink) const {
    Result<HttpRequest> request = request_for(message, "***");
    if (!request) return request.error();
    sink.request(origin_, *request);
    return {};
  }

  // CHANGE: the vendor's callback. Runs on any thread, beside the lane.
  Result<void> parse_webhook(const WebhookRequest& request, WebhookSink& sink) const {
    if (!token_.matches(request.header("x-callback-token"))) return Error{GW_E_DENIED, "wrong token", ""};
    Result<Json> body = parse_json(request.body());
    if (!body || !body->is_object()) return invalid("the body is not a JSON object");
    ConfigReader read(*body);
    auto event = read.get<std::string>("event"), id = read.get<std::string>("id");
    auto status = read.get<std::string>("status"), to = read.get<std::string>("to", "");
    auto at_ms = read.get<uint64_t>("at_ms", 0);
    if (!read) return read.error();
    if (status == "delivered") sink.event(Event::receipt(GW_RECEIPT_DELIVERED, id, event, at_ms));
    if (status == "unknown_number") sink.event(Event::token_invalid(to, event));
    return {};
  }

 private:
  // CHANGE: the vendor's request.
  static Result<HttpRequest> request_for(Message message, const std::string& key) {
    Result<Json> content = parse_json(message.content());
    Json notification = content && content->is_object() ? content->value("notification", Json::object()) : Json();
    if (!notification.is_object()) return invalid("the content is not JSON with a notification object");
    Json body = {{"to", message.target().address()}, {"text", notification.value("body", Json())}};
    body["id"] = message.message_id();  // the vendor's idempotency key: the same over all retries
    HttpRequest request{.path = "/v1/send", .deadline_mono_ns = message.deadline_mono_ns()};
    request.headers = {{"authorization", "Bearer " + key}, {"content-type", "application/json"}};
    request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    return request;
  }

  // CHANGE: the vendor's answer. When in doubt, UNKNOWN: the router knows what to do with it.
  static Outcome outcome_of(const HttpReply& reply) {
    if (reply.is_not_sent()) return Outcome::retry("not-sent", std::string(reply.error()));
    if (!reply.is_answered()) return Outcome::unknown(std::string(reply.error()));
    Json body = Json::parse(reply.body(), nullptr, false);
    std::string error = text_of(body, "error");
    uint32_t status = reply.http_status();
    if (status == 200) return Outcome::accepted(text_of(body, "id"));
    if (status == 401 || status == 403) return Outcome::config(error).with_http_status(status);
    if (status == 410) return Outcome::target_invalid(error).with_http_status(status);
    if (status == 429) return Outcome::throttled(1000, error).with_http_status(status);
    if (status >= 500) return Outcome::retry(error).with_http_status(status);
    return Outcome::rejected(error).with_http_status(status);
  }

  Host host_;
  HttpPool pool_;
  const std::string origin_;
  LiveSecret key_, token_;
};

GW_EXPORT_CHANNEL(Sms)
